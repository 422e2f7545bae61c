namespace Statehouse.Tidy;

/// <summary>Which project of src may know which, as in ARCHITECTURE.md. A project that is missing here is a finding.</summary>
internal static class ProjectArrows
{
    private static readonly Dictionary<string, string[]> Projects = new()
    {
        ["Journal"] = [],
        ["Journal.Sqlite"] = ["Journal"],
        ["Journal.Postgres"] = ["Journal"],
        ["Agents"] = ["Journal"],
        ["Executions"] = ["Agents", "Journal"],
        ["Gateway"] = ["Agents", "Executions", "Journal.Sqlite", "Journal.Postgres"],
        ["Grains.Interfaces"] = ["Agents"],
        ["Grains"] = ["Grains.Interfaces", "Journal"],
        ["Silo"] = ["Grains", "Gateway", "Executions", "Journal.Postgres"],
        ["Cli"] = [],
        ["Client"] = [],
        ["LocalCluster"] = [],
    };

    /// <summary>Packages of the layers whose dependencies are part of their promise; other projects are free.</summary>
    private static readonly Dictionary<string, string[]> Packages = new()
    {
        ["Journal"] = [],
        ["Agents"] = [],
        ["Executions"] = [],
        ["Journal.Sqlite"] = ["Microsoft.Data.Sqlite.Core", "SQLitePCLRaw.bundle_e_sqlite3"],
        ["Journal.Postgres"] = ["Npgsql"],
        ["Client"] = [],
        ["Cli"] = ["System.CommandLine", "Spectre.Console"],
        ["LocalCluster"] = ["System.CommandLine"],
    };

    public static bool Knows(string project) => Projects.ContainsKey(project);

    public static bool MayReference(string from, string to) => Projects[from].Contains(to);

    public static bool MayUsePackage(string project, string package) =>
        !Packages.TryGetValue(project, out string[]? allowed) || allowed.Contains(package);

    /// <summary>As <see cref="MayReference"/>, also through another project: what a name in its code may belong to.</summary>
    public static bool MayName(string from, string to) =>
        from == to || Projects[from].Any(next => MayName(next, to));

    /// <summary>The project of a namespace such as <c>Statehouse.Journal.Sqlite.Sql</c>: the longest that fits; null where none does.</summary>
    public static string? OwnerOf(string dotted) =>
        Projects.Keys
            .Where(p => dotted == "Statehouse." + p || dotted.StartsWith($"Statehouse.{p}.", StringComparison.Ordinal))
            .MaxBy(p => p.Length);
}

namespace Statehouse.Testing;

/// <summary>Where this machine keeps PostgreSQL's server programs.</summary>
internal static class PostgresBinaries
{
    /// <summary>Names the folder where neither Debian's place nor PATH has it. Wins where it is set.</summary>
    public const string FolderVariable = "STATEHOUSE_TEST_PG_BIN";

    private const string DebianRoot = "/usr/lib/postgresql";

    /// <summary>The folder that holds initdb, pg_ctl and postgres; null where there is none.</summary>
    public static string? Folder { get; } = Candidates().FirstOrDefault(HoldsServer);

    private static IEnumerable<string> Candidates()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } chosen)
            return [chosen];
        IEnumerable<string> debian = Directory.Exists(DebianRoot)
            ? Directory.GetDirectories(DebianRoot).OrderByDescending(MajorVersion).Select(static folder => Path.Combine(folder, "bin"))
            : [];
        return debian.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator));
    }

    private static int MajorVersion(string folder) =>
        int.TryParse(Path.GetFileName(folder), out int version) ? version : 0;

    private static bool HoldsServer(string folder) =>
        folder.Length > 0
        && File.Exists(Path.Combine(folder, "initdb"))
        && File.Exists(Path.Combine(folder, "pg_ctl"))
        && File.Exists(Path.Combine(folder, "postgres"));
}

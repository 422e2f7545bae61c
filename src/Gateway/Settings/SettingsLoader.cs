using System.Collections;

namespace Statehouse.Gateway;

/// <summary>Joins the sources of settings: flags win over the environment, the environment over the file, the file over the defaults.</summary>
internal static class SettingsLoader
{
    private const string VariablePrefix = "STATEHOUSE_";

    /// <param name="flags">What the command line said.</param>
    /// <param name="environment">Names and values, as <see cref="Environment.GetEnvironmentVariables()"/> gives them.</param>
    /// <param name="workingDirectory">Where <c>statehouse.json</c> is looked for.</param>
    /// <exception cref="SettingsException">One line: which setting, its value, what is allowed.</exception>
    public static ServerSettings Load(CommandLineFlags flags, IDictionary environment, string workingDirectory)
    {
        string file = flags.ConfigFile ?? Path.Combine(workingDirectory, SettingsFile.DefaultName);
        ServerSettings settings = SettingsFile.Apply(new ServerSettings(), file, mustExist: flags.ConfigFile is not null);
        settings = ApplyEnvironment(settings, environment);
        settings = ApplyFlags(settings, flags);
        CheckTogether(settings);
        return settings;
    }

    /// <summary>What statehousectl and the SDKs read; a shell that sets them for those may start a server too.</summary>
    private static readonly string[] ClientVariables = ["STATEHOUSE_URL", "STATEHOUSE_NAMESPACE"];

    /// <summary>Variables that look like ours and are not: container platforms inject some, so they are no error.</summary>
    public static IEnumerable<string> UnknownVariables(IDictionary environment) =>
        environment.Keys.Cast<string>()
            .Where(name => name.StartsWith(VariablePrefix, StringComparison.Ordinal)
                && !ClientVariables.Contains(name)
                && !SettingTable.All.Any(setting => setting.Variable == name))
            .Order(StringComparer.Ordinal);

    /// <param name="settings">What was set so far.</param>
    /// <param name="setting">Which one.</param>
    /// <param name="source">Flag, variable or file member, for the message.</param>
    /// <param name="value">As given.</param>
    /// <exception cref="SettingsException">The value is not allowed.</exception>
    public static ServerSettings Apply(ServerSettings settings, Setting setting, string source, string value)
    {
        // A connection string holds a password.
        string shown = setting.Member == "postgres" ? "(not shown)" : Query.Shown(value);
        return setting.Apply(settings, value)
            ?? throw new SettingsException($"{source} is {shown}; it must be {setting.Allowed}.");
    }

    private static ServerSettings ApplyEnvironment(ServerSettings settings, IDictionary environment)
    {
        foreach (Setting setting in SettingTable.All)
        {
            if (setting.Variable is { } name && environment[name] is string value)
                settings = Apply(settings, setting, name, value);
        }
        return settings;
    }

    private static ServerSettings ApplyFlags(ServerSettings settings, CommandLineFlags flags)
    {
        foreach ((Setting setting, string value) in flags.Settings)
            settings = Apply(settings, setting, setting.Flag, value);
        foreach (string limit in flags.Limits)
        {
            string[] parts = limit.Split('=', 2);
            if (parts.Length != 2)
                throw new SettingsException($"--limit is {Query.Shown(limit)}; it must be NAME=VALUE.");
            settings = settings with { Limits = LimitTable.Apply(settings.Limits, "--limit", parts[0], parts[1]) };
        }
        return settings;
    }

    private static void CheckTogether(ServerSettings settings)
    {
        LimitTable.CheckTogether(settings.Limits);
        if (settings.Journal == JournalKind.Postgres && settings.Postgres is null)
            throw new SettingsException("--journal is \"postgres\"; it needs --postgres or STATEHOUSE_POSTGRES, a connection string.");
    }
}

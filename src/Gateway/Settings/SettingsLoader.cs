using System.Collections;

namespace Statehouse.Gateway;

/// <summary>Joins the sources of settings: flags win over the environment, the environment over the file, the file over the defaults.</summary>
internal static class SettingsLoader
{
    private const string VariablePrefix = "STATEHOUSE_";

    /// <summary>What statehousectl and the SDKs read; a shell that sets them for those may start a server too.</summary>
    private static readonly string[] ClientVariables = ["STATEHOUSE_URL", "STATEHOUSE_NAMESPACE"];

    /// <param name="table">What the program can be told.</param>
    /// <param name="flags">What the command line said.</param>
    /// <param name="environment">Names and values, as <see cref="Environment.GetEnvironmentVariables()"/> gives them.</param>
    /// <param name="workingDirectory">Where the settings file is looked for.</param>
    /// <exception cref="SettingsException">One line: which setting, its value, what is allowed.</exception>
    public static T Load<T>(SettingTable<T> table, CommandLineFlags<T> flags, IDictionary environment, string workingDirectory)
        where T : ProgramSettings
    {
        T settings = ApplyFlags(ApplyEnvironment(table, ReadFile(table, flags, workingDirectory), environment), flags);
        LimitTable.CheckTogether(settings.Limits);
        table.CheckTogether(settings);
        return settings;
    }

    /// <summary>Variables that look like ours and are not: container platforms inject some, so they are no error.</summary>
    public static IEnumerable<string> UnknownVariables<T>(SettingTable<T> table, IDictionary environment)
        where T : ProgramSettings =>
        environment.Keys.Cast<string>()
            .Where(name => name.StartsWith(VariablePrefix, StringComparison.Ordinal)
                && !ClientVariables.Contains(name)
                && !table.All.Any(setting => setting.Variable == name))
            .Order(StringComparer.Ordinal);

    /// <param name="settings">What was set so far.</param>
    /// <param name="setting">Which one.</param>
    /// <param name="source">Flag, variable or file member, for the message.</param>
    /// <param name="value">As given.</param>
    /// <exception cref="SettingsException">The value is not allowed.</exception>
    public static T Apply<T>(T settings, Setting<T> setting, string source, string value)
        where T : ProgramSettings
    {
        string shown = setting.IsSecret ? "(not shown)" : Query.Shown(value);
        return setting.Apply(settings, value)
            ?? throw new SettingsException($"{source} is {shown}; it must be {setting.Allowed}.");
    }

    private static T ReadFile<T>(SettingTable<T> table, CommandLineFlags<T> flags, string workingDirectory)
        where T : ProgramSettings =>
        table.FileName is null
            ? table.Defaults
            : SettingsFile.Apply(table, flags.ConfigFile ?? Path.Combine(workingDirectory, table.FileName), mustExist: flags.ConfigFile is not null);

    private static T ApplyEnvironment<T>(SettingTable<T> table, T settings, IDictionary environment)
        where T : ProgramSettings
    {
        foreach (Setting<T> setting in table.All)
        {
            if (setting.Variable is { } name && environment[name] is string value)
                settings = Apply(settings, setting, name, value);
        }
        return settings;
    }

    private static T ApplyFlags<T>(T settings, CommandLineFlags<T> flags)
        where T : ProgramSettings
    {
        foreach ((Setting<T> setting, string value) in flags.Settings)
            settings = Apply(settings, setting, setting.Flag, value);
        foreach (string limit in flags.Limits)
        {
            string[] parts = limit.Split('=', 2);
            if (parts.Length != 2)
                throw new SettingsException($"--limit is {Query.Shown(limit)}; it must be NAME=VALUE.");
            settings = CommonSettings.Changed(settings, s => s with { Limits = LimitTable.Apply(s.Limits, "--limit", parts[0], parts[1]) });
        }
        return settings;
    }
}

using System.CommandLine;

namespace Statehouse.Gateway;

/// <summary>What the command line said, not yet checked.</summary>
/// <param name="ConfigFile">The settings file; null = none was named.</param>
/// <param name="Settings">Settings given, with their values.</param>
/// <param name="Limits"><c>name=value</c> each.</param>
internal sealed record CommandLineFlags<T>(
    string? ConfigFile, IReadOnlyList<(Setting<T> Setting, string Value)> Settings, IReadOnlyList<string> Limits)
    where T : ProgramSettings;

/// <summary>A program's flags, made of its <see cref="SettingTable{T}"/>.</summary>
internal sealed class CommandLine<T>
    where T : ProgramSettings
{
    private readonly Option<string> _config = new("--config") { HelpName = "FILE" };

    private readonly Option<string[]> _limits = new("--limit")
    {
        HelpName = "NAME=VALUE",
        Description = "Sets a limit; repeat it for more. Names: " + string.Join(", ", LimitTable.All.Select(limit => limit.Name)),
    };

    private readonly List<(Setting<T> Setting, Option<string> Option)> _settings = [];
    private readonly RootCommand _root;

    public CommandLine(SettingTable<T> table)
    {
        _root = new RootCommand(table.Description);
        foreach (Setting<T> setting in table.All)
        {
            var option = new Option<string>(setting.Flag)
            {
                HelpName = setting.Placeholder,
                Description = setting.Variable is null ? setting.Help : $"{setting.Help} [{setting.Variable}]",
                Arity = setting.Placeholder is null ? ArgumentArity.Zero : ArgumentArity.ExactlyOne,
            };
            _settings.Add((setting, option));
            _root.Options.Add(option);
        }
        _root.Options.Add(_limits);
        if (table.FileName is null)
            return;
        _config.Description = $"Settings file. Default {table.FileName} in the working folder, where there is one";
        _root.Options.Add(_config);
    }

    /// <param name="args">As the process got them.</param>
    /// <param name="exitCode">Set where help or version was asked for, and shown.</param>
    /// <returns>null where there is nothing to run.</returns>
    /// <exception cref="SettingsException">An unknown flag, a flag without its value, a word that is no flag.</exception>
    public CommandLineFlags<T>? Parse(string[] args, out int exitCode)
    {
        exitCode = 0;
        // No response files: an argument that starts with @ is a mistake like any other.
        ParseResult parsed = _root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.UnmatchedTokens.Count > 0)
            throw new SettingsException($"{Query.Shown(parsed.UnmatchedTokens[0])} is no flag; --help lists them.");
        if (parsed.Errors.Count > 0)
            throw new SettingsException(parsed.Errors[0].Message.TrimEnd('.') + "; --help tells more.");
        if (parsed.Action is not null)
        {
            exitCode = parsed.Invoke();
            return null;
        }
        return new CommandLineFlags<T>(
            _root.Options.Contains(_config) ? parsed.GetValue(_config) : null,
            [.. _settings.Where(each => parsed.GetResult(each.Option) is not null).Select(each => (each.Setting, parsed.GetValue(each.Option) ?? ""))],
            parsed.GetValue(_limits) ?? []);
    }
}

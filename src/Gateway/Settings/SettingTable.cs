namespace Statehouse.Gateway;

/// <summary>One setting of a program.</summary>
/// <param name="Member">Its name in the settings file.</param>
/// <param name="Flag">Its name on the command line.</param>
/// <param name="Variable">Its name in the environment; null = none.</param>
/// <param name="Placeholder">What stands for its value in the help; null = the flag stands alone, and its value is empty.</param>
/// <param name="Help">What it does, with its default.</param>
/// <param name="Allowed">What a value must be.</param>
/// <param name="Apply">Puts a value in; null = the value is not allowed.</param>
internal sealed record Setting<T>(
    string Member, string Flag, string? Variable, string? Placeholder, string Help, string Allowed, Func<T, string, T?> Apply)
    where T : ProgramSettings
{
    /// <summary>Its value is never shown.</summary>
    public bool IsSecret { get; init; }
}

/// <summary>
/// All that one program can be told, once: its command line, environment, file and help are made of this. Limits can be
/// told to every program: <see cref="LimitTable"/>.
/// </summary>
/// <param name="Description">What its help begins with.</param>
/// <param name="FileName">The settings file that is read where the working folder has it; null = this program reads none.</param>
/// <param name="Defaults">What holds where nothing is said.</param>
/// <param name="All">Every setting but the limits.</param>
/// <param name="CheckTogether">Throws <see cref="SettingsException"/> where settings contradict each other.</param>
internal sealed record SettingTable<T>(
    string Description, string? FileName, T Defaults, IReadOnlyList<Setting<T>> All, Action<T> CheckTogether)
    where T : ProgramSettings;

using System.Text.Json;

namespace Statehouse.Gateway;

/// <summary>
/// Reads a settings file: an object of settings, and in it <c>executions</c> and <c>limits</c>, objects of numbers. Comments
/// are allowed.
/// </summary>
internal static class SettingsFile
{
    private const string Executions = "executions";

    /// <param name="table">What the program can be told; its defaults hold for what the file does not say.</param>
    /// <param name="path">The file.</param>
    /// <param name="mustExist">Somebody named it; otherwise a missing one is fine.</param>
    /// <exception cref="SettingsException">Unreadable, not JSON, an unknown member, or a value that is not allowed.</exception>
    public static T Apply<T>(SettingTable<T> table, string path, bool mustExist)
        where T : ProgramSettings
    {
        byte[] utf8;
        try
        {
            utf8 = File.ReadAllBytes(path);
        }
        catch (Exception error) when (!mustExist && error is FileNotFoundException or DirectoryNotFoundException)
        {
            return table.Defaults;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new SettingsException($"--config: {path} cannot be read: {error.Message}");
        }
        return Apply(table, path, utf8);
    }

    private static T Apply<T>(SettingTable<T> table, string path, byte[] utf8)
        where T : ProgramSettings
    {
        T settings = table.Defaults;
        var options = new JsonDocumentOptions
        {
            CommentHandling = JsonCommentHandling.Skip,
            AllowTrailingCommas = true,
            AllowDuplicateProperties = false,
        };
        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new SettingsException($"{path}: it must hold one JSON object.");
            foreach (JsonProperty member in document.RootElement.EnumerateObject())
                settings = ApplyMember(table, settings, path, member);
            return settings;
        }
        catch (JsonException error)
        {
            throw new SettingsException($"{path}: not valid JSON: {error.Message}");
        }
    }

    private static T ApplyMember<T>(SettingTable<T> table, T settings, string path, JsonProperty member)
        where T : ProgramSettings
    {
        if (member.Name == "limits")
            return CommonSettings.Changed(settings, s => s with { Limits = ApplyLimits(s.Limits, path, member.Value) });
        if (member.Name == Executions)
            return ApplyExecutions(table, settings, path, member.Value);
        Setting<T> setting = table.All.FirstOrDefault(setting => setting.Member == member.Name && !setting.Member.Contains('.', StringComparison.Ordinal))
            ?? throw new SettingsException(
                $"{path}: there is no setting {Query.Shown(member.Name)}; there are {string.Join(", ", table.All.Select(each => each.Member).Where(name => !name.StartsWith(Executions, StringComparison.Ordinal)))}, executions, limits.");
        if (member.Value.ValueKind != JsonValueKind.String)
            throw new SettingsException($"{path}: {member.Name} must be a string: {setting.Allowed}.");
        return SettingsLoader.Apply(settings, setting, $"{path}: {member.Name}", member.Value.GetString()!);
    }

    private static T ApplyExecutions<T>(SettingTable<T> table, T settings, string path, JsonElement executions)
        where T : ProgramSettings
    {
        if (executions.ValueKind != JsonValueKind.Object)
            throw new SettingsException($"{path}: {Executions} must be an object of numbers.");
        foreach (JsonProperty member in executions.EnumerateObject())
        {
            string name = $"{Executions}.{member.Name}";
            Setting<T> setting = table.All.FirstOrDefault(setting => setting.Member == name)
                ?? throw new SettingsException(
                    $"{path}: there is no setting {Query.Shown(name)}; there are {string.Join(", ", table.All.Select(each => each.Member).Where(each => each.StartsWith(Executions, StringComparison.Ordinal)))}.");
            settings = SettingsLoader.Apply(settings, setting, $"{path}: {name}", member.Value.GetRawText());
        }
        return settings;
    }

    private static Agents.Limits ApplyLimits(Agents.Limits applied, string path, JsonElement limits)
    {
        if (limits.ValueKind != JsonValueKind.Object)
            throw new SettingsException($"{path}: limits must be an object of numbers.");
        foreach (JsonProperty limit in limits.EnumerateObject())
            applied = LimitTable.Apply(applied, path, limit.Name, limit.Value.GetRawText());
        return applied;
    }
}

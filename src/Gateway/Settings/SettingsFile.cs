using System.Text.Json;

namespace Statehouse.Gateway;

/// <summary>Reads <c>statehouse.json</c>: a flat object of settings, and <c>limits</c>, an object of numbers. Comments are allowed.</summary>
internal static class SettingsFile
{
    public const string DefaultName = "statehouse.json";

    /// <param name="settings">The defaults.</param>
    /// <param name="path">The file.</param>
    /// <param name="mustExist">Somebody named it; otherwise a missing one is fine.</param>
    /// <exception cref="SettingsException">Unreadable, not JSON, an unknown member, or a value that is not allowed.</exception>
    public static ServerSettings Apply(ServerSettings settings, string path, bool mustExist)
    {
        byte[] utf8;
        try
        {
            utf8 = File.ReadAllBytes(path);
        }
        catch (Exception error) when (!mustExist && error is FileNotFoundException or DirectoryNotFoundException)
        {
            return settings;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new SettingsException($"--config: {path} cannot be read: {error.Message}");
        }
        return Apply(settings, path, utf8);
    }

    private static ServerSettings Apply(ServerSettings settings, string path, byte[] utf8)
    {
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
                settings = ApplyMember(settings, path, member);
            return settings;
        }
        catch (JsonException error)
        {
            throw new SettingsException($"{path}: not valid JSON: {error.Message}");
        }
    }

    private static ServerSettings ApplyMember(ServerSettings settings, string path, JsonProperty member)
    {
        if (member.Name == "limits")
            return settings with { Limits = ApplyLimits(settings, path, member.Value) };
        Setting setting = SettingTable.All.FirstOrDefault(setting => setting.Member == member.Name)
            ?? throw new SettingsException(
                $"{path}: there is no setting {Query.Shown(member.Name)}; there are {string.Join(", ", SettingTable.All.Select(each => each.Member))}, limits.");
        if (member.Value.ValueKind != JsonValueKind.String)
            throw new SettingsException($"{path}: {member.Name} must be a string: {setting.Allowed}.");
        return SettingsLoader.Apply(settings, setting, $"{path}: {member.Name}", member.Value.GetString()!);
    }

    private static Agents.Limits ApplyLimits(ServerSettings settings, string path, JsonElement limits)
    {
        if (limits.ValueKind != JsonValueKind.Object)
            throw new SettingsException($"{path}: limits must be an object of numbers.");
        Agents.Limits applied = settings.Limits;
        foreach (JsonProperty limit in limits.EnumerateObject())
            applied = LimitTable.Apply(applied, path, limit.Name, limit.Value.GetRawText());
        return applied;
    }
}

using System.Globalization;

namespace Statehouse.Cli;

/// <summary>
/// How far a load has come, kept as the idempotency key of the commit that brought it there. The hash stands for agent
/// and whole history up to the version, so that a load is only ever continued with the same history.
/// </summary>
/// <param name="Version">The last source version that is loaded.</param>
/// <param name="Hash">Its hash in the source's chain.</param>
internal sealed record LoadMark(long Version, string Hash)
{
    private const string Start = "load/";

    /// <returns>null where the key is not one of ours.</returns>
    public static LoadMark? Parse(string? idempotencyKey)
    {
        string[] parts = idempotencyKey?.StartsWith(Start, StringComparison.Ordinal) == true ? idempotencyKey[Start.Length..].Split('/') : [];
        return parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long version)
            ? new LoadMark(version, parts[1])
            : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Start}{Version}/{Hash}");
}

namespace Statehouse.Journal;

/// <summary>
/// A commit's body as bytes: canonical JSON, one object, and where a zero byte follows, a detail behind it. No JSON text
/// holds a zero byte, so the first one always is where the canonical part has ended.
/// </summary>
public static class CommitBody
{
    /// <summary>Stands between the canonical part and the detail, and belongs to neither.</summary>
    public const byte DetailSeparator = 0;

    /// <summary>Bytes of the canonical part: what the hash covers, and what is left when the detail is cut.</summary>
    /// <returns>The whole length where there is no detail.</returns>
    public static int CanonicalLength(ReadOnlySpan<byte> body) =>
        body.IndexOf(DetailSeparator) is >= 0 and int end ? end : body.Length;
}

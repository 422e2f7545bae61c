namespace Statehouse.Agents;

/// <summary>
/// A JSON text that was checked once and is kept byte for byte as it was written (I7): valid UTF-8, one value, no
/// member name twice in one object, no unpaired surrogate, depth within the limit, no white space around it.
/// </summary>
public readonly struct JsonText
{
    private readonly ReadOnlyMemory<byte> _utf8;

    private JsonText(ReadOnlyMemory<byte> utf8) => _utf8 = utf8;

    /// <summary>The text; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Memory => _utf8;

    public ReadOnlySpan<byte> Utf8 => _utf8.Span;

    public int Length => _utf8.Length;

    /// <summary>No value: a delete, absent metadata.</summary>
    public bool IsAbsent => _utf8.IsEmpty;

    /// <summary>Checks and copies a text.</summary>
    /// <param name="field">Named in the refusal, for instance <c>value</c> or <c>operations[3].value</c>.</param>
    /// <param name="utf8">The text; white space around it is dropped.</param>
    /// <param name="depthMax">Levels of nesting allowed.</param>
    /// <exception cref="RefusedException">SH-1003. Says where and why.</exception>
    public static JsonText Parse(string field, ReadOnlySpan<byte> utf8, int depthMax)
    {
        ReadOnlySpan<byte> trimmed = utf8.Trim(" \t\r\n"u8);
        JsonChecker.Check(field, trimmed, depthMax);
        return new JsonText(trimmed.ToArray());
    }

    /// <summary>Takes over bytes that were checked before, for instance because they come from the journal.</summary>
    public static JsonText Trusted(ReadOnlyMemory<byte> utf8) => new(utf8);

    public override string ToString() => System.Text.Encoding.UTF8.GetString(Utf8);
}

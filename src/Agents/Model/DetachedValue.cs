using Statehouse.Agents.Codec;

namespace Statehouse.Agents.Model;

/// <summary>What a commit's detail has of a value.</summary>
public enum DetachedForm : byte
{
    /// <summary>Nothing any more.</summary>
    Dropped = 0,

    /// <summary>All of it.</summary>
    Whole = 1,

    /// <summary>What it takes to make it of the key's value just before.</summary>
    Difference = 2,
}

/// <summary>
/// A value that the journal keeps beside its commit (<see cref="Operation.IsDetached"/>): its digest and length are part of
/// the commit for ever, its bytes only while the commit's detail is kept.
/// </summary>
public sealed class DetachedValue
{
    internal DetachedValue(ValueDigest digest, int bytes, DetachedForm form, ReadOnlyMemory<byte> kept)
    {
        Digest = digest;
        Bytes = bytes;
        Form = form;
        Kept = kept;
    }

    /// <summary>Of the whole value.</summary>
    public ValueDigest Digest { get; }

    /// <summary>Length of the whole value.</summary>
    public int Bytes { get; }

    public DetachedForm Form { get; }

    /// <summary>The value, or the difference (<see cref="ValueDifference"/>); empty where it was dropped.</summary>
    internal ReadOnlyMemory<byte> Kept { get; }

    /// <param name="value">The value.</param>
    /// <param name="before">The key's value just before; absent where the key does not exist.</param>
    /// <param name="isWhole">Never as a difference.</param>
    internal static DetachedValue Of(JsonText value, JsonText before, bool isWhole)
    {
        var digest = ValueDigest.Of(value.Utf8);
        return !isWhole && !before.IsAbsent && ValueDifference.TryMake(before.Utf8, value.Utf8, value.Length) is { } difference
            ? new DetachedValue(digest, value.Length, DetachedForm.Difference, difference)
            : new DetachedValue(digest, value.Length, DetachedForm.Whole, value.Memory);
    }

    /// <summary>The whole value; it was not dropped.</summary>
    /// <param name="before">The key's value just before; used for a difference only.</param>
    /// <exception cref="FormatException">What is kept does not make the value that the digest is of.</exception>
    public JsonText Restore(JsonText before)
    {
        if (Form == DetachedForm.Difference && before.IsAbsent)
            throw new FormatException("A difference follows no value.");
        ReadOnlyMemory<byte> value = Form switch
        {
            DetachedForm.Whole => Kept,
            DetachedForm.Difference => ValueDifference.Apply(before.Utf8, Kept.Span, Bytes),
            _ => throw new InvalidOperationException("What was dropped cannot be restored."),
        };
        var digest = ValueDigest.Of(value.Span);
        if (value.Length != Bytes || digest != Digest)
            throw new FormatException($"A detached value has {value.Length} bytes with the digest {digest}; the commit says {Bytes} bytes with {Digest}.");
        return JsonText.Trusted(value);
    }
}

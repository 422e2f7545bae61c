using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Statehouse.Agents;

/// <summary>The name of a value inside an agent: 1..1,024 bytes of UTF-8 without NUL, ordered by bytes (not by UTF-16).</summary>
public readonly struct Key : IEquatable<Key>, IComparable<Key>
{
    private readonly byte[]? _utf8;

    /// <summary>Takes the bytes over: they must be valid UTF-8 and never change again.</summary>
    public Key(byte[] utf8) => _utf8 = utf8;

    /// <exception cref="RefusedException">SH-1003. The text holds an unpaired surrogate, which UTF-8 cannot express.</exception>
    public Key(string text)
    {
        try
        {
            _utf8 = StrictUtf8.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            throw RefusedException.Invalid("key", "well-formed Unicode", "an unpaired surrogate");
        }
    }

    public ReadOnlySpan<byte> Utf8 => _utf8;

    public ReadOnlyMemory<byte> Memory => _utf8;

    public int Length => _utf8?.Length ?? 0;

    public bool StartsWith(Key prefix) => Utf8.StartsWith(prefix.Utf8);

    /// <summary>False where the bytes are not well-formed UTF-8.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, [MaybeNullWhen(false)] out Key key)
    {
        key = default;
        if (!System.Text.Unicode.Utf8.IsValid(utf8))
            return false;
        key = new Key(utf8.ToArray());
        return true;
    }

    public int CompareTo(Key other) => Utf8.SequenceCompareTo(other.Utf8);

    public bool Equals(Key other) => Utf8.SequenceEqual(other.Utf8);

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Key other && Equals(other);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(Utf8);
        return hash.ToHashCode();
    }

    public override string ToString() => Encoding.UTF8.GetString(Utf8);

    public static bool operator ==(Key left, Key right) => left.Equals(right);

    public static bool operator !=(Key left, Key right) => !left.Equals(right);

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}

using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>
/// A pooled, growing buffer that a reply is spliced together in. Values and commit bodies go in as the raw UTF-8 that
/// they were written as (I7); nothing is parsed on the way out. Callers write the punctuation themselves.
/// </summary>
internal sealed class JsonBuffer : IDisposable
{
    private const int FirstBytes = 1024;
    private const int StackBytesMax = 768;

    private static readonly SearchValues<byte> MustEscape = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(code => (byte)code), (byte)'"', (byte)'\\']);

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private int _length;

    public int Length => _length;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public void Clear() => _length = 0;

    public JsonBuffer Raw(ReadOnlySpan<byte> utf8)
    {
        utf8.CopyTo(Reserve(utf8.Length));
        _length += utf8.Length;
        return this;
    }

    public JsonBuffer Number(long value)
    {
        Utf8Formatter.TryFormat(value, Reserve(20), out int written);
        _length += written;
        return this;
    }

    public JsonBuffer Bool(bool value) => Raw(value ? "true"u8 : "false"u8);

    /// <summary>A quoted, escaped JSON string.</summary>
    public JsonBuffer String(string text)
    {
        int bytesMax = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (bytesMax <= StackBytesMax)
        {
            Span<byte> utf8 = stackalloc byte[StackBytesMax];
            return String(utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
        }
        return String(Encoding.UTF8.GetBytes(text).AsSpan());
    }

    /// <summary>A quoted, escaped JSON string from valid UTF-8.</summary>
    public JsonBuffer String(ReadOnlySpan<byte> utf8)
    {
        Raw("\""u8);
        for (int clean = utf8.IndexOfAny(MustEscape); clean >= 0; clean = utf8.IndexOfAny(MustEscape))
        {
            Raw(utf8[..clean]);
            Escape(utf8[clean]);
            utf8 = utf8[(clean + 1)..];
        }
        return Raw(utf8).Raw("\""u8);
    }

    public JsonBuffer Uuid(Guid id)
    {
        Span<byte> room = Reserve(38);
        room[0] = (byte)'"';
        id.TryFormat(room[1..], out int written);
        room[written + 1] = (byte)'"';
        _length += written + 2;
        return this;
    }

    /// <summary>RFC 3339 with six decimals, as <see cref="CommitTime.ToString"/> writes it.</summary>
    public JsonBuffer Time(CommitTime time)
    {
        Span<byte> room = Reserve(40);
        room[0] = (byte)'"';
        time.ToDateTimeOffset().TryFormat(
            room[1..], out int written, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        room[written + 1] = (byte)'"';
        _length += written + 2;
        return this;
    }

    /// <summary>64 lower-case hexadecimal digits in quotes.</summary>
    public JsonBuffer Hash(in CommitHash hash)
    {
        Span<byte> room = Reserve(2 * CommitHash.Size + 2);
        room[0] = (byte)'"';
        Convert.TryToHexStringLower(hash.AsSpan(), room[1..], out int written);
        room[written + 1] = (byte)'"';
        _length += written + 2;
        return this;
    }

    public void Dispose()
    {
        byte[] bytes = _bytes;
        _bytes = [];
        _length = 0;
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
    }

    private void Escape(byte code)
    {
        switch (code)
        {
            case (byte)'"': Raw("\\\""u8); break;
            case (byte)'\\': Raw("\\\\"u8); break;
            case (byte)'\n': Raw("\\n"u8); break;
            case (byte)'\r': Raw("\\r"u8); break;
            case (byte)'\t': Raw("\\t"u8); break;
            default:
                Raw("\\u00"u8).Raw([HexDigit(code >> 4), HexDigit(code & 0xF)]);
                break;
        }
    }

    private static byte HexDigit(int value) => (byte)(value < 10 ? '0' + value : 'a' + value - 10);

    private Span<byte> Reserve(int bytes)
    {
        if (_bytes.Length - _length < bytes)
            Grow(bytes);
        return _bytes.AsSpan(_length);
    }

    private void Grow(int bytes)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(checked(_length + bytes), _bytes.Length * 2));
        _bytes.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}

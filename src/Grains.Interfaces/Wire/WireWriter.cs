using System.Text;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>
/// Writes one record as numbered fields, in the wire encoding of Protocol Buffers (varint and length-delimited fields
/// only): a tag is <c>number &lt;&lt; 3 | wire type</c>, nested records and bytes are preceded by their length. A field
/// that has its default is left out, unless its absence means something.
/// </summary>
/// <remarks>Not thread-safe; one is kept per thread, see <see cref="Rent"/>.</remarks>
internal sealed class WireWriter
{
    public const int Varint = 0;
    public const int LengthDelimited = 2;

    // A buffer grown by one huge commit is not kept for ever.
    private const int KeptBytes = 256 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    [ThreadStatic]
    private static WireWriter? t_idle;

    private byte[] _buffer = new byte[1024];
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public static WireWriter Rent()
    {
        WireWriter writer = t_idle ?? new WireWriter();
        t_idle = null;
        writer._length = 0;
        return writer;
    }

    public void Return()
    {
        if (_buffer.Length <= KeptBytes)
            t_idle = this;
    }

    /// <summary>Left out where it is 0. Negative numbers take ten bytes.</summary>
    public void Number(int field, long value)
    {
        if (value != 0)
            NumberAlways(field, value);
    }

    public void NumberAlways(int field, long value)
    {
        Span<byte> target = Reserve(15);
        int length = PutVarint(target, (uint)(field << 3 | Varint));
        length += PutVarint(target[length..], (ulong)value);
        _length += length;
    }

    public void Flag(int field, bool value) => Number(field, value ? 1 : 0);

    /// <summary>Left out where it is empty.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
            BytesAlways(field, value);
    }

    public void BytesAlways(int field, ReadOnlySpan<byte> value)
    {
        Span<byte> target = Reserve(10 + value.Length);
        int length = PutVarint(target, (uint)(field << 3 | LengthDelimited));
        length += PutVarint(target[length..], (uint)value.Length);
        value.CopyTo(target[length..]);
        _length += length + value.Length;
    }

    /// <summary>Left out where it is null.</summary>
    /// <exception cref="RefusedException">
    /// SH-1003. An unpaired surrogate, which UTF-8 cannot express: replaced, it would make two names the same (I8).
    /// </exception>
    public void Name(int field, string nameOfField, string? value)
    {
        if (value is null)
            return;
        try
        {
            BytesAlways(field, StrictUtf8.GetBytes(value));
        }
        catch (EncoderFallbackException)
        {
            throw RefusedException.Invalid(nameOfField, "well-formed Unicode", "text with an unpaired surrogate");
        }
    }

    /// <summary>Text for people: what UTF-8 cannot express is replaced. Left out where it is null.</summary>
    public void Text(int field, string? value)
    {
        if (value is not null)
            BytesAlways(field, Encoding.UTF8.GetBytes(value));
    }

    /// <summary>16 bytes in RFC 4122 order; left out where it is null.</summary>
    public void Id(int field, Guid? value)
    {
        if (value is not { } id)
            return;
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        BytesAlways(field, bytes);
    }

    /// <summary>Left out where it is all zero.</summary>
    public void Hash(int field, in CommitHash value)
    {
        if (value != default)
            BytesAlways(field, value.AsSpan());
    }

    /// <summary>A nested record, also where it has no field.</summary>
    public void Record<T>(int field, T value, FieldsWriter<T> fields)
    {
        int start = Begin(field);
        fields(this, value);
        End(start);
    }

    /// <summary>Numbers without tags of their own; left out where there is none.</summary>
    public void Numbers(int field, ReadOnlySpan<KeyVersion> values)
    {
        if (values.IsEmpty)
            return;
        int start = Begin(field);
        foreach (KeyVersion value in values)
            _length += PutVarint(Reserve(10), (ulong)value.Value);
        End(start);
    }

    private int Begin(int field)
    {
        Span<byte> target = Reserve(6);
        _length += PutVarint(target, (uint)(field << 3 | LengthDelimited)) + 1;
        return _length;
    }

    /// <summary>One byte was left for the length, enough for nearly all; the others are moved up by what theirs needs.</summary>
    private void End(int start)
    {
        int content = _length - start;
        int extra = VarintBytes((uint)content) - 1;
        if (extra > 0)
        {
            Reserve(extra);
            _buffer.AsSpan(start, content).CopyTo(_buffer.AsSpan(start + extra));
            _length += extra;
        }
        PutVarint(_buffer.AsSpan(start - 1), (uint)content);
    }

    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _length < count)
            Array.Resize(ref _buffer, Math.Max(checked(_length + count), (int)Math.Min(_buffer.Length * 2L, Array.MaxLength)));
        return _buffer.AsSpan(_length);
    }

    private static int PutVarint(Span<byte> target, ulong value)
    {
        int length = 0;
        while (value >= 0x80)
        {
            target[length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        target[length++] = (byte)value;
        return length;
    }

    private static int VarintBytes(uint value) => value switch
    {
        < 1u << 7 => 1,
        < 1u << 14 => 2,
        < 1u << 21 => 3,
        < 1u << 28 => 4,
        _ => 5,
    };
}

/// <summary>Writes a record's fields.</summary>
internal delegate void FieldsWriter<in T>(WireWriter writer, T value);

using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Orleans.Serialization;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains.Interfaces.Wire;

/// <summary>
/// Reads what <see cref="WireWriter"/> wrote, field by field. Lengths are checked against what is there before anything
/// is allocated; unknown fields are passed over by <see cref="Skip"/>.
/// </summary>
/// <remarks>All members throw <see cref="SerializerException"/> where the bytes are not of this format.</remarks>
internal ref struct WireReader(ReadOnlySpan<byte> bytes, int jsonDepthMax)
{
    private const int Fixed64 = 1;
    private const int Fixed32 = 5;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly int _jsonDepthMax = jsonDepthMax;
    private ReadOnlySpan<byte> _rest = bytes;
    private int _wireType;

    /// <summary>The number of the field that <see cref="Next"/> has come to.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field, which must then be read or skipped.</summary>
    /// <returns>False at the end of the record.</returns>
    public bool Next()
    {
        if (_rest.IsEmpty)
            return false;
        ulong tag = GetVarint();
        if (tag >> 3 is 0 or > int.MaxValue)
            throw Malformed($"a tag of {tag}");
        Field = (int)(tag >> 3);
        _wireType = (int)(tag & 7);
        return true;
    }

    public void Skip()
    {
        switch (_wireType)
        {
            case WireWriter.Varint:
                GetVarint();
                break;
            case WireWriter.LengthDelimited:
                GetBytes();
                break;
            case Fixed64:
                Take(8);
                break;
            case Fixed32:
                Take(4);
                break;
            default:
                throw Malformed($"wire type {_wireType} in field {Field}");
        }
    }

    public long Number()
    {
        Expect(WireWriter.Varint);
        return (long)GetVarint();
    }

    public int Int32() => Number() is >= int.MinValue and <= int.MaxValue and var value
        ? (int)value
        : throw Malformed($"a number beyond 32 bits in field {Field}");

    /// <summary>An enum's number; one that this build does not know is for the enum's user to refuse.</summary>
    public byte Enum() => Number() is >= 0 and <= byte.MaxValue and var value
        ? (byte)value
        : throw Malformed($"a number beyond one byte in field {Field}");

    public bool Flag() => Number() != 0;

    public AgentVersion AgentVersion() => new(Number());

    public KeyVersion KeyVersion() => new(Number());

    public CommitTs CommitTs() => new(Number());

    public CommitTime CommitTime() => new(Number());

    public ReadOnlySpan<byte> Bytes()
    {
        Expect(WireWriter.LengthDelimited);
        return GetBytes();
    }

    public string Text()
    {
        try
        {
            return StrictUtf8.GetString(Bytes());
        }
        catch (DecoderFallbackException error)
        {
            throw new SerializerException($"A Statehouse record has text in field {Field} that is not UTF-8.", error);
        }
    }

    public Guid Id()
    {
        ReadOnlySpan<byte> bytes = Bytes();
        return bytes.Length == 16 ? new Guid(bytes, bigEndian: true) : throw Malformed($"an id of {bytes.Length} bytes in field {Field}");
    }

    public CommitHash Hash()
    {
        ReadOnlySpan<byte> bytes = Bytes();
        return bytes.Length == CommitHash.Size
            ? CommitHash.FromBytes(bytes)
            : throw Malformed($"a hash of {bytes.Length} bytes in field {Field}");
    }

    /// <exception cref="RefusedException">SH-1003. Not UTF-8: whoever made the key did not check it.</exception>
    public Key Key() => Agents.Key.TryParse(Bytes(), out Key key)
        ? key
        : throw RefusedException.Invalid("key", "well-formed UTF-8", "other bytes");

    /// <summary>JSON that the silo which sends it has read from the journal or checked.</summary>
    public JsonText CheckedJson() => JsonText.Trusted(Bytes().ToArray());

    /// <summary>JSON that goes into a journal: checked here, since a client may have called <see cref="JsonText.Trusted"/> on anything.</summary>
    /// <exception cref="RefusedException">SH-1003. Not JSON, or nested too deeply.</exception>
    public JsonText UncheckedJson(string name)
    {
        ReadOnlySpan<byte> bytes = Bytes();
        return bytes.IsEmpty ? default : JsonText.Parse(name, bytes, _jsonDepthMax);
    }

    public T Record<T>(FieldsReader<T> fields)
    {
        var nested = new WireReader(Bytes(), _jsonDepthMax);
        return fields(ref nested);
    }

    public ImmutableArray<KeyVersion> KeyVersions()
    {
        var packed = new WireReader(Bytes(), _jsonDepthMax);
        var values = new KeyVersion[packed.CountVarints()];
        for (int i = 0; i < values.Length; i++)
            values[i] = new KeyVersion((long)packed.GetVarint());
        return ImmutableCollectionsMarshal.AsImmutableArray(values);
    }

    /// <summary>A varint's last byte is the one without the high bit.</summary>
    private readonly int CountVarints()
    {
        int count = 0;
        foreach (byte b in _rest)
            count += b < 0x80 ? 1 : 0;
        return _rest is [.., >= 0x80] ? throw Malformed("a number that does not end") : count;
    }

    private readonly void Expect(int wireType)
    {
        if (_wireType != wireType)
            throw Malformed($"wire type {_wireType} instead of {wireType} in field {Field}");
    }

    private ulong GetVarint()
    {
        ulong value = 0;
        for (int i = 0; i < _rest.Length && i < 10; i++)
        {
            byte b = _rest[i];
            value |= (ulong)(b & 0x7F) << (7 * i);
            if (b >= 0x80)
                continue;
            if (i == 9 && b > 1)
                break;
            _rest = _rest[(i + 1)..];
            return value;
        }
        throw Malformed("a number that does not end or is beyond 64 bits");
    }

    private ReadOnlySpan<byte> GetBytes()
    {
        ulong length = GetVarint();
        return length <= (ulong)_rest.Length ? Take((int)length) : throw Malformed($"a length of {length} in field {Field} with {_rest.Length} bytes left");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
            throw Malformed($"{_rest.Length} bytes left of {count} in field {Field}");
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private static SerializerException Malformed(string what) => new($"A Statehouse record is malformed: it has {what}.");
}

/// <summary>Makes a record of its fields; those that are absent have their defaults.</summary>
internal delegate T FieldsReader<out T>(ref WireReader reader);

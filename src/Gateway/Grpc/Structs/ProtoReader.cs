using System.Buffers.Binary;

namespace Statehouse.Gateway;

/// <summary>The fields of one protobuf message, front to back, without an object per field. What it reads may be hostile.</summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> bytes)
{
    public const int VarintWire = 0;
    public const int Fixed64Wire = 1;
    public const int LengthWire = 2;
    private const int Fixed32Wire = 5;
    private const int VarintBytesMax = 10;

    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Field number × 8 + wire type of the field just read.</summary>
    public uint Tag { get; private set; }

    /// <summary>What a length-delimited field holds.</summary>
    public ReadOnlySpan<byte> Content { get; private set; }

    /// <summary>What a varint or fixed field holds.</summary>
    public ulong Number { get; private set; }

    /// <summary>Reads the next field; false at the end.</summary>
    /// <exception cref="FormatException">The bytes are no message.</exception>
    public bool Read()
    {
        if (_rest.IsEmpty)
            return false;
        ulong tag = Varint();
        if (tag > uint.MaxValue || tag >> 3 == 0)
            throw new FormatException("A field number is out of range.");
        Tag = (uint)tag;
        switch (tag & 7)
        {
            case VarintWire:
                Number = Varint();
                break;
            case Fixed64Wire:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case LengthWire:
                Content = Take(Varint());
                break;
            case Fixed32Wire:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw new FormatException("A field has a wire type that proto3 does not have.");
        }
        return true;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int i = 0; i < VarintBytesMax && i < _rest.Length; i++)
        {
            value |= (ulong)(_rest[i] & 0x7F) << (7 * i);
            if (_rest[i] < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return value;
            }
        }
        throw new FormatException("A number is cut off or too long.");
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)_rest.Length)
            throw new FormatException("A field reaches beyond its message.");
        ReadOnlySpan<byte> taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }
}

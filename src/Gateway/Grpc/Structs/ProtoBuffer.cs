using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;

namespace Statehouse.Gateway;

/// <summary>
/// A pooled, growing buffer that protobuf messages are written into front to back, without an object per message. An
/// embedded message is written first and its length put before it when it ends. Callers write the tags themselves.
/// </summary>
internal sealed class ProtoBuffer : IDisposable
{
    private const int FirstBytes = 1024;
    private const int VarintBytesMax = 10;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private int _length;

    public int Length => _length;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public ReadOnlySpan<byte> WrittenSpan => _bytes.AsSpan(0, _length);

    public void Clear() => _length = 0;

    /// <param name="tag">Field number × 8 + wire type; below 128.</param>
    public void Tag(byte tag)
    {
        Reserve(1)[0] = tag;
        _length++;
    }

    public void Varint(ulong value)
    {
        _length += WriteVarint(Reserve(VarintBytesMax), value);
    }

    public void Fixed64(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(Reserve(sizeof(double)), value);
        _length += sizeof(double);
    }

    /// <summary>Bytes with their length before them: a string, or a whole embedded message.</summary>
    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        Varint((ulong)bytes.Length);
        bytes.CopyTo(Reserve(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>Room to write into; <see cref="Advance"/> says how much of it was used.</summary>
    public Span<byte> Reserve(int bytes)
    {
        if (_bytes.Length - _length < bytes)
            Grow(bytes);
        return _bytes.AsSpan(_length);
    }

    public void Advance(int bytes) => _length += bytes;

    /// <summary>Begins something whose length is not known yet.</summary>
    /// <returns>Where it begins: for <see cref="End"/>.</returns>
    public int Begin(byte tag)
    {
        Tag(tag);
        // Room for a length below 128, which most have; End moves longer ones up.
        Tag(0);
        return _length;
    }

    public void End(int begin)
    {
        int length = _length - begin;
        int more = VarintBytes(length) - 1;
        if (more > 0)
        {
            Reserve(more);
            _bytes.AsSpan(begin, length).CopyTo(_bytes.AsSpan(begin + more));
            _length += more;
        }
        WriteVarint(_bytes.AsSpan(begin - 1), (ulong)length);
    }

    /// <summary>Room for a gRPC prefix, filled in by <see cref="EndFrame"/>.</summary>
    public int BeginFrame()
    {
        Reserve(MessageReader.PrefixBytes);
        return _length += MessageReader.PrefixBytes;
    }

    public void EndFrame(int begin) =>
        MessageWriter.WritePrefix(_bytes.AsSpan(begin - MessageReader.PrefixBytes, MessageReader.PrefixBytes), _length - begin);

    public void Dispose()
    {
        byte[] bytes = _bytes;
        _bytes = [];
        _length = 0;
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
    }

    private static int VarintBytes(int value) => (BitOperations.Log2((uint)value | 1) / 7) + 1;

    private static int WriteVarint(Span<byte> target, ulong value)
    {
        int written = 0;
        while (value >= 0x80)
        {
            target[written++] = (byte)(value | 0x80);
            value >>= 7;
        }
        target[written++] = (byte)value;
        return written;
    }

    private void Grow(int bytes)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(checked(_length + bytes), _bytes.Length * 2));
        _bytes.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}

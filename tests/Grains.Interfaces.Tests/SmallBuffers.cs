using System.Buffers;

namespace Statehouse.Grains.Tests;

/// <summary>Bytes as a network may hand them over: in pieces.</summary>
internal sealed class SmallBuffers : ReadOnlySequenceSegment<byte>
{
    private SmallBuffers(ReadOnlyMemory<byte> memory, long index)
    {
        Memory = memory;
        RunningIndex = index;
    }

    public static ReadOnlySequence<byte> Of(byte[] bytes, int pieceBytes)
    {
        var first = new SmallBuffers(bytes.AsMemory(0, Math.Min(pieceBytes, bytes.Length)), 0);
        SmallBuffers last = first;
        for (int start = pieceBytes; start < bytes.Length; start += pieceBytes)
        {
            var next = new SmallBuffers(bytes.AsMemory(start, Math.Min(pieceBytes, bytes.Length - start)), start);
            last.Next = next;
            last = next;
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}

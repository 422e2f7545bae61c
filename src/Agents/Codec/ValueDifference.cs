using System.Buffers;

namespace Statehouse.Agents.Codec;

/// <summary>
/// A value as what it takes to make it of another one: instructions, one after the other to the end. Each begins with a
/// varint, <c>count &lt;&lt; 1 | is copy</c>; the rest of its bytes:
/// an insertion's are the <c>count</c> bytes to put in; a copy's are a zigzag varint, how far its source starts behind the
/// end of the last copy's source (at first: behind the start).
/// </summary>
/// <remarks>
/// What both values begin and end with is found first, so that one change costs one comparison of the two. Only where much
/// lies between are copies searched for, by <see cref="BlockIndex"/>. Which differences are made may change; how they are
/// read may not.
/// </remarks>
internal static class ValueDifference
{
    /// <summary>A shorter copy costs about what it saves.</summary>
    private const int CopyBytesMin = 4;

    /// <summary>The difference, where it is shorter than so many bytes; null where it is not.</summary>
    public static byte[]? TryMake(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int shorterThan)
    {
        int prefix = before.CommonPrefixLength(after);
        int suffix = CommonSuffixLength(before[prefix..], after[prefix..]);
        var instructions = new Instructions(after, shorterThan);
        if (!instructions.TryCopy(0, 0, prefix))
            return null;
        int end = after.Length - suffix;
        bool mayHoldCopies = Math.Min(before.Length - suffix, end) - prefix >= 2 * BlockIndex.BlockBytes;
        if (mayHoldCopies && !TryFindCopies(before, after, prefix, suffix, ref instructions))
            return null;
        return instructions.TryCopy(before.Length - suffix, end, suffix) ? instructions.TryEnd() : null;
    }

    /// <exception cref="FormatException">Not a difference to such a value, or one that does not make <paramref name="bytes"/> bytes.</exception>
    public static byte[] Apply(ReadOnlySpan<byte> before, ReadOnlySpan<byte> difference, int bytes)
    {
        // Looked through before anything is allocated: damaged bytes may claim any length.
        long made = 0;
        ReadOnlySpan<byte> rest = difference;
        int source = 0;
        while (!rest.IsEmpty)
            made += Read(ref rest, before, ref source).Length;
        if (made != bytes)
            throw new FormatException($"A difference makes {made} bytes; the value has {bytes}.");

        byte[] after = new byte[bytes];
        Span<byte> target = after;
        source = 0;
        while (!difference.IsEmpty)
        {
            ReadOnlySpan<byte> next = Read(ref difference, before, ref source);
            next.CopyTo(target);
            target = target[next.Length..];
        }
        return after;
    }

    /// <summary>The bytes that the next instruction makes.</summary>
    private static ReadOnlySpan<byte> Read(ref ReadOnlySpan<byte> difference, ReadOnlySpan<byte> before, ref int source)
    {
        ulong head = Varint.Read(ref difference);
        ulong count = head >> 1;
        if ((head & 1) == 0)
        {
            if (count == 0 || count > (ulong)difference.Length)
                throw new FormatException($"A difference inserts {count} bytes and holds {difference.Length} more.");
            ReadOnlySpan<byte> inserted = difference[..(int)count];
            difference = difference[(int)count..];
            return inserted;
        }
        ulong moved = Varint.Read(ref difference);
        Int128 start = (Int128)source + (long)(moved >> 1 ^ (~(moved & 1) + 1));
        if (count == 0 || start < 0 || start + count > before.Length)
            throw new FormatException($"A difference copies {count} bytes from {start} of {before.Length}.");
        source = (int)start + (int)count;
        return before.Slice((int)start, (int)count);
    }

    /// <returns>false where the difference has become too long.</returns>
    private static bool TryFindCopies(
        ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int prefix, int suffix, ref Instructions instructions)
    {
        using var index = new BlockIndex(before, prefix, before.Length - suffix);
        ReadOnlySpan<byte> searched = after[..^suffix];
        int gap = prefix;
        int source = prefix;
        for (int at = prefix; at <= searched.Length - BlockIndex.BlockBytes;)
        {
            if (index.Find(before, searched, gap, at, source) is not { Count: > 0 } copy)
            {
                at += BlockIndex.StepFrom(gap, at);
                continue;
            }
            if (!instructions.TryCopy(copy.Source, copy.At, copy.Count))
                return false;
            at = gap = copy.At + copy.Count;
            source = copy.Source + copy.Count;
        }
        return true;
    }

    private static int CommonSuffixLength(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        const int Stride = 64;
        int most = Math.Min(left.Length, right.Length);
        int length = 0;
        while (length + Stride <= most && left[^(length + Stride)..^length].SequenceEqual(right[^(length + Stride)..^length]))
            length += Stride;
        while (length < most && left[^(length + 1)] == right[^(length + 1)])
            length++;
        return length;
    }

    /// <summary>Writes instructions; what no copy covers is inserted.</summary>
    private ref struct Instructions(ReadOnlySpan<byte> after, int shorterThan)
    {
        private readonly ReadOnlySpan<byte> _after = after;
        private readonly ArrayBufferWriter<byte> _output = new(64);
        private int _covered;
        private int _source;

        /// <returns>false where the difference has become too long.</returns>
        public bool TryCopy(int source, int at, int count)
        {
            if (count < CopyBytesMin)
                return true;
            if (!TryInsertUpTo(at))
                return false;
            Varint.Write(_output, (ulong)count << 1 | 1);
            long moved = (long)source - _source;
            Varint.Write(_output, (ulong)(moved << 1 ^ moved >> 63));
            _covered = at + count;
            _source = source + count;
            return _output.WrittenCount < shorterThan;
        }

        public byte[]? TryEnd() => TryInsertUpTo(_after.Length) ? _output.WrittenSpan.ToArray() : null;

        private bool TryInsertUpTo(int at)
        {
            int count = at - _covered;
            if (count == 0)
                return _output.WrittenCount < shorterThan;
            if (_output.WrittenCount + 1 + count >= shorterThan)
                return false;
            Varint.Write(_output, (ulong)count << 1);
            _output.Write(_after.Slice(_covered, count));
            return _output.WrittenCount < shorterThan;
        }
    }
}

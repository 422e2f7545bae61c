using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;

namespace Statehouse.Agents.Codec;

/// <summary>
/// Finds where pieces of one text stand in another: every so many bytes a block of the old text is noted by its hash, and
/// the new text is looked up at each byte. Time is linear in both; memory is bounded whatever their sizes.
/// </summary>
internal readonly ref struct BlockIndex
{
    public const int BlockBytes = 16;

    // Beyond this many, blocks are noted further apart: 1.3 MiB of memory, while a search is running.
    private const int BlocksMax = 1 << 16;

    // So many bits per block tell of most hashes that no block has them. They fit into a processor's near memory.
    private const int FilterBitsPerBlock = 8;

    // In a text that repeats itself, many blocks are alike; so many are tried of those ahead, and of all.
    private const int CandidatesMax = 8;

    // A block that is alike but not the right one may have led so far beyond the right one.
    private const int OvershootBytes = 1024;

    private const int StepMax = 15;

    // A copy of this length is taken without looking for a longer one.
    private const int LongCopyBytes = 1024;

    private readonly int[] _first;
    private readonly int[] _ahead;
    private readonly int[] _next;
    private readonly byte[] _filter;
    private readonly int _start;
    private readonly int _stride;
    private readonly int _slotShift;
    private readonly int _filterShift;

    /// <param name="text">The old text.</param>
    /// <param name="start">Blocks are noted from here…</param>
    /// <param name="end">…to here, exclusive; at least one block on.</param>
    public BlockIndex(ReadOnlySpan<byte> text, int start, int end)
    {
        _start = start;
        int room = end - start - BlockBytes;
        _stride = Math.Max(BlockBytes, (int)BitOperations.RoundUpToPowerOf2((uint)(room / BlocksMax) + 1));
        int blocks = room / _stride + 1;
        int slotBits = BitOperations.Log2((uint)blocks) + 1;
        _slotShift = 64 - slotBits;
        _filterShift = _slotShift - BitOperations.Log2(FilterBitsPerBlock);
        int filterBytes = (1 << (64 - _filterShift)) / 8;
        _first = ArrayPool<int>.Shared.Rent(1 << slotBits);
        _ahead = ArrayPool<int>.Shared.Rent(1 << slotBits);
        _next = ArrayPool<int>.Shared.Rent(blocks);
        _filter = ArrayPool<byte>.Shared.Rent(filterBytes);
        _first.AsSpan(0, 1 << slotBits).Fill(-1);
        _filter.AsSpan(0, filterBytes).Clear();
        // From the last to the first, so that what stands first is found first.
        for (int block = blocks - 1; block >= 0; block--)
        {
            ulong hash = Hash(text, start + block * _stride);
            _filter[hash >> (_filterShift + 3)] |= (byte)(1 << (int)(hash >> _filterShift & 7));
            ref int first = ref _first[hash >> _slotShift];
            (_next[block], first) = (first, block);
        }
        _first.AsSpan(0, 1 << slotBits).CopyTo(_ahead);
    }

    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(_first);
        ArrayPool<int>.Shared.Return(_ahead);
        ArrayPool<int>.Shared.Return(_next);
        ArrayPool<byte>.Shared.Return(_filter);
    }

    /// <summary>A stretch that both texts have: the longest among a few.</summary>
    /// <param name="before">The old text.</param>
    /// <param name="after">The new text.</param>
    /// <param name="gap">Behind the last copy in the new text: what is found does not start before it.</param>
    /// <param name="at">Where in the new text to look: a whole block on from here is to be equal.</param>
    /// <param name="source">Behind the last copy in the old text.</param>
    /// <returns>One of no bytes where there is none.</returns>
    public Copy Find(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int gap, int at, int source)
    {
        // Most changes put as much as they take away, or put something in between: then the old text goes on here.
        Copy best = Longer(default, before, after, gap, at, source + (at - gap));
        if (at > gap && best.Count < LongCopyBytes)
            best = Longer(best, before, after, gap, at, source);
        ulong hash = Hash(after, at);
        bool mayBeNoted = (_filter[hash >> (_filterShift + 3)] >> (int)(hash >> _filterShift & 7) & 1) != 0;
        if (!mayBeNoted)
            return best;
        // What was taken out is mostly little, so that the nearest ahead is the likeliest. The search goes on from there
        // next time: all the steps over blocks behind are together no more than there are blocks.
        ref int ahead = ref _ahead[hash >> _slotShift];
        while (ahead >= 0 && PlaceOf(ahead) < source - OvershootBytes)
            ahead = _next[ahead];
        best = LongestOf(ahead, best, before, after, gap, at);
        return LongestOf(_first[hash >> _slotShift], best, before, after, gap, at);
    }

    private int PlaceOf(int block) => _start + block * _stride;

    private Copy LongestOf(int block, Copy best, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int gap, int at)
    {
        for (int tried = 0; block >= 0 && tried < CandidatesMax && best.Count < LongCopyBytes; tried++)
        {
            best = Longer(best, before, after, gap, at, PlaceOf(block));
            block = _next[block];
        }
        return best;
    }

    /// <summary>
    /// Where to look next, where nothing was found. The longer nothing is, the longer a copy must be to be worth its finding.
    /// Steps are odd and blocks stand a power of two apart, so that a few steps come to each of a block's bytes in turn.
    /// </summary>
    public static int StepFrom(int gap, int at) => Math.Min(at - gap >> 12 | 1, StepMax);

    private static Copy Longer(Copy best, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int gap, int at, int source)
    {
        // Unsigned, so that a place beyond what an int holds is none either.
        if ((uint)source > (uint)(before.Length - BlockBytes) || !IsSameBlock(before[source..], after[at..]))
            return best;
        int forward = before[source..].CommonPrefixLength(after[at..]);
        int back = 0;
        while (back < at - gap && back < source && before[source - back - 1] == after[at - back - 1])
            back++;
        return forward + back > best.Count ? new Copy(source - back, at - back, forward + back) : best;
    }

    private static bool IsSameBlock(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
        BinaryPrimitives.ReadUInt64LittleEndian(left) == BinaryPrimitives.ReadUInt64LittleEndian(right) &&
        BinaryPrimitives.ReadUInt64LittleEndian(left[8..]) == BinaryPrimitives.ReadUInt64LittleEndian(right[8..]);

    private static ulong Hash(ReadOnlySpan<byte> text, int at)
    {
        ulong low = BinaryPrimitives.ReadUInt64LittleEndian(text[at..]);
        ulong high = BinaryPrimitives.ReadUInt64LittleEndian(text[(at + 8)..]);
        // Odd numbers with their bits well spread; the upper bits of a product depend on all bits of its factors.
        return (low ^ BitOperations.RotateLeft(high * 0x9E3779B97F4A7C15, 32)) * 0xC2B2AE3D27D4EB4F;
    }

    /// <param name="Source">Where it starts in the old text.</param>
    /// <param name="At">Where it starts in the new one.</param>
    /// <param name="Count">Bytes.</param>
    public readonly record struct Copy(int Source, int At, int Count);
}

using System.Diagnostics;
using System.Numerics;

namespace Statehouse.Bench.Measuring;

/// <summary>
/// Counts durations in buckets whose width grows with the duration, as HDR histograms do: 128 per power of two, so that a
/// percentile is at most 0.8 % above what was recorded. From 1 tick of <see cref="Stopwatch"/> to years, in 60 KiB.
/// One thread records; merge to combine.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 7;
    private const int Sub = 1 << SubBits;

    private readonly long[] _counts = new long[Sub * (64 - SubBits)];
    private long _max;

    public long Count { get; private set; }

    /// <param name="ticks">Of <see cref="Stopwatch"/>; below 0 counts as 0.</param>
    /// <param name="times">How often it was seen.</param>
    public void Record(long ticks, long times = 1)
    {
        ticks = Math.Max(0, ticks);
        _counts[IndexOf(ticks)] += times;
        _max = Math.Max(_max, ticks);
        Count += times;
    }

    public void Merge(LatencyHistogram other)
    {
        for (int i = 0; i < _counts.Length; i++)
            _counts[i] += other._counts[i];
        _max = Math.Max(_max, other._max);
        Count += other.Count;
    }

    /// <param name="percent">Above 0, up to 100.</param>
    /// <returns>Milliseconds that so many percent of the durations do not exceed; NaN where nothing was recorded.</returns>
    public double Milliseconds(double percent)
    {
        if (Count == 0)
            return double.NaN;
        long wanted = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        long seen = 0;
        int index = -1;
        while (seen < wanted)
            seen += _counts[++index];
        return Math.Min(UpperEnd(index), _max) * 1000.0 / Stopwatch.Frequency;
    }

    /// <summary>Below 2 × 128 each tick has a bucket; above, the highest eight bits choose one.</summary>
    private static int IndexOf(long ticks)
    {
        int shift = Math.Max(0, 63 - BitOperations.LeadingZeroCount((ulong)ticks) - SubBits);
        return shift * Sub + (int)(ticks >> shift);
    }

    private static long UpperEnd(int index)
    {
        int shift = Math.Max(0, index / Sub - 1);
        return ((long)(index - shift * Sub) + 1 << shift) - 1;
    }
}

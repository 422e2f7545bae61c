namespace Statehouse.Executions;

/// <summary>Counts durations in buckets that grow by a quarter each, from 10 µs to about 5 minutes: quantiles to within that.</summary>
internal sealed class LatencyCounts
{
    private const double FirstMs = 0.01;
    private const double Growth = 1.25;
    private readonly long[] _counts = new long[78];

    public void Record(TimeSpan took)
    {
        double ms = Math.Max(took.TotalMilliseconds, FirstMs);
        int bucket = (int)Math.Ceiling(Math.Log(ms / FirstMs) / Math.Log(Growth));
        Interlocked.Increment(ref _counts[Math.Min(bucket, _counts.Length - 1)]);
    }

    /// <returns>Upper bound of the bucket that the quantile falls into, in milliseconds; null where nothing was recorded.</returns>
    public double? QuantileMs(double quantile)
    {
        long[] counts = [.. _counts.Select((_, i) => Volatile.Read(ref _counts[i]))];
        long wanted = (long)Math.Ceiling(counts.Sum() * quantile);
        if (wanted == 0)
            return null;
        long seen = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            seen += counts[i];
            if (seen >= wanted)
                return FirstMs * Math.Pow(Growth, i);
        }
        return null;
    }
}

using System.Diagnostics;
using Statehouse.Bench.Measuring;
using Xunit;

namespace Statehouse.Bench.Tests;

public sealed class LatencyHistogramTests
{
    private const double ErrorMax = 1.0 / 128;

    [Fact]
    public void Percentiles_are_those_of_the_sorted_durations_and_at_most_a_128th_above()
    {
        var random = new Random(7);
        // Nanoseconds to minutes, evenly over the powers of ten.
        long[] ticks = [.. Enumerable.Range(0, 20_000).Select(_ => (long)Math.Pow(10, random.NextDouble() * 11)).Order()];
        var histogram = new LatencyHistogram();
        foreach (long each in ticks)
            histogram.Record(each);
        foreach (double percent in (double[])[0.001, 1, 50, 90, 99, 99.9, 100])
        {
            long exact = ticks[Math.Max(1, (int)Math.Ceiling(ticks.Length * percent / 100)) - 1];
            double seen = histogram.Milliseconds(percent) * Stopwatch.Frequency / 1000;
            Assert.InRange(seen, exact - 0.001, exact * (1 + ErrorMax) + 0.001);
        }
    }

    [Fact]
    public void Merged_histograms_are_the_histogram_of_all()
    {
        var (left, right, all) = (new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram());
        for (long ticks = 0; ticks < 100_000; ticks += 7)
        {
            (ticks % 2 == 0 ? left : right).Record(ticks);
            all.Record(ticks);
        }
        left.Merge(right);
        Assert.Equal(all.Count, left.Count);
        foreach (double percent in (double[])[1, 50, 99, 100])
            Assert.Equal(all.Milliseconds(percent), left.Milliseconds(percent));
    }
}

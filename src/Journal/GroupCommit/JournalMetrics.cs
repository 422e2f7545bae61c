using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Statehouse.Journal.GroupCommit;

/// <summary>What the writer counts, under the meter <c>Statehouse.Journal</c>. Each name is explained in docs/operating.md.</summary>
internal static class JournalMetrics
{
    private static readonly Meter Meter = new("Statehouse.Journal");

    public static readonly Counter<long> Commits = Meter.CreateCounter<long>(
        "statehouse.journal.commits", "{commit}", "Commits made durable by this process.");

    public static readonly Counter<long> Batches = Meter.CreateCounter<long>(
        "statehouse.journal.batches", "{batch}", "Database round trips that wrote commits.");

    public static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "statehouse.journal.failures", "{unit}", "Appends that were not acknowledged, by code.");

    public static readonly Histogram<long> BatchCommits = Meter.CreateHistogram(
        "statehouse.journal.batch.commits", "{commit}", "Commits in one batch.",
        advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000] });

    public static readonly Histogram<double> AppendDuration = Meter.CreateHistogram(
        "statehouse.journal.append.duration", "s", "From queueing a unit to its acknowledgement.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        });

    public static readonly UpDownCounter<long> Queued = Meter.CreateUpDownCounter<long>(
        "statehouse.journal.queued", "{unit}", "Units waiting for a writer.");

    public static void CountFailure(ErrorCode code) =>
        Failures.Add(1, new KeyValuePair<string, object?>("code", code.Text()));

    public static double SecondsSince(long timestamp) => Stopwatch.GetElapsedTime(timestamp).TotalSeconds;
}

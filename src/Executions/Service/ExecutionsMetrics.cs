using System.Diagnostics.Metrics;

namespace Statehouse.Executions;

/// <summary>What executions count, under the meter <c>Statehouse.Executions</c>. Each name is explained in docs/operating.md.</summary>
internal static class ExecutionsMetrics
{
    public static readonly Meter Meter = new("Statehouse.Executions");

    public static readonly Counter<long> Created = Meter.CreateCounter<long>(
        "statehouse.executions.created", "{execution}", "Executions created.");

    public static readonly Counter<long> Claims = Meter.CreateCounter<long>(
        "statehouse.executions.claims", "{execution}", "Executions handed out to workers.");

    public static readonly Counter<long> Recoveries = Meter.CreateCounter<long>(
        "statehouse.executions.recoveries", "{execution}", "Of the claims, those of executions whose lease had run out.");

    public static readonly Counter<long> Thinned = Meter.CreateCounter<long>(
        "statehouse.executions.thinned", "By", "Bytes of old states that thinning let go of.");

    public static readonly UpDownCounter<long> Buffered = Meter.CreateUpDownCounter<long>(
        "statehouse.executions.buffered", "{checkpoint}", "Checkpoints that wait in memory now.");

    private static readonly Counter<long> Checkpoints = Meter.CreateCounter<long>(
        "statehouse.executions.checkpoints", "{checkpoint}", "Checkpoints that became durable.");

    private static readonly Counter<long> CheckpointBytes = Meter.CreateCounter<long>(
        "statehouse.executions.checkpoint_bytes", "By", "States of checkpoints that became durable, as they were sent.");

    private static readonly Histogram<double> CheckpointDuration = Meter.CreateHistogram(
        "statehouse.executions.checkpoint.duration", "s", "Time from a checkpoint's request to its being durable.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] });

    private static long s_checkpoints;
    private static long s_checkpointBytes;
    private static long s_claims;
    private static long s_recoveries;

    /// <summary>For the server's own summary.</summary>
    public static (long Checkpoints, long Bytes, long Claims, long Recoveries) Totals =>
        (Volatile.Read(ref s_checkpoints), Volatile.Read(ref s_checkpointBytes), Volatile.Read(ref s_claims), Volatile.Read(ref s_recoveries));

    public static void Checkpoint(long stateBytes)
    {
        Checkpoints.Add(1);
        CheckpointBytes.Add(stateBytes);
        Interlocked.Increment(ref s_checkpoints);
        Interlocked.Add(ref s_checkpointBytes, stateBytes);
    }

    public static void Duration(TimeSpan took)
    {
        CheckpointDuration.Record(took.TotalSeconds);
        Latency.Record(took);
    }

    public static void Claim(bool recovers)
    {
        Claims.Add(1);
        Interlocked.Increment(ref s_claims);
        if (!recovers)
            return;
        Recoveries.Add(1);
        Interlocked.Increment(ref s_recoveries);
    }

    /// <summary>Of all checkpoints since the start.</summary>
    public static readonly LatencyCounts Latency = new();
}

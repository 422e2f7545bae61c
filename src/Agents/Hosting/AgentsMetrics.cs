using System.Diagnostics.Metrics;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>What the agents count, under the meter <c>Statehouse.Agents</c>. Each name is explained in docs/operating.md.</summary>
internal static class AgentsMetrics
{
    public static readonly Meter Meter = new("Statehouse.Agents");

    public static readonly Counter<long> Refusals = Meter.CreateCounter<long>(
        "statehouse.agents.refusals", "{commit}", "Commits that were refused, by code.");

    public static readonly Counter<long> Repeats = Meter.CreateCounter<long>(
        "statehouse.agents.repeats", "{commit}", "Commits answered with an earlier receipt because of their idempotency key.");

    public static readonly Counter<long> Conflicts = Meter.CreateCounter<long>(
        "statehouse.agents.fence_conflicts", "{commit}", "Appends that another process was first with; they are decided again.");

    public static readonly Counter<long> Loads = Meter.CreateCounter<long>(
        "statehouse.agents.loads", "{agent}", "Agents loaded from the journal.");

    public static readonly Counter<long> Evictions = Meter.CreateCounter<long>(
        "statehouse.agents.evictions", "{agent}", "Agents that left memory.");

    public static readonly Counter<long> Snapshots = Meter.CreateCounter<long>(
        "statehouse.agents.snapshots", "{snapshot}", "Snapshots written.");

    public static readonly Histogram<long> LoadTailBytes = Meter.CreateHistogram(
        "statehouse.agents.load.tail", "By", "Journal bytes folded on top of a snapshot to load an agent.",
        advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [0, 1024, 16384, 65536, 262144, 1048576, 16777216, 268435456] });

    public static void CountRefusal(ErrorCode code) =>
        Refusals.Add(1, new KeyValuePair<string, object?>("code", code.Text()));
}

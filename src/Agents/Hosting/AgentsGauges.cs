using System.Diagnostics.Metrics;

namespace Statehouse.Agents.Hosting;

/// <summary>Gauges over the hosts that live in this process (one; more in tests).</summary>
internal static class AgentsGauges
{
    private static readonly Lock Lock = new();
    private static readonly List<LocalAgents> Hosts = [];

    private static readonly ObservableGauge<long> Resident = AgentsMetrics.Meter.CreateObservableGauge(
        "statehouse.agents.resident", () => Sum(host => host.ResidentCount), "{agent}", "Agents in memory.");

    private static readonly ObservableGauge<long> FeedPosition = AgentsMetrics.Meter.CreateObservableGauge(
        "statehouse.feed.position", () => Max(host => host.FeedPosition.Value), null, "Highest commit_ts seen durable by this process.");

    public static void Watch(LocalAgents host)
    {
        lock (Lock)
            Hosts.Add(host);
    }

    public static void Forget(LocalAgents host)
    {
        lock (Lock)
            Hosts.Remove(host);
    }

    private static long Sum(Func<LocalAgents, long> value)
    {
        lock (Lock)
            return Hosts.Sum(value);
    }

    private static long Max(Func<LocalAgents, long> value)
    {
        lock (Lock)
            return Hosts.Count == 0 ? 0 : Hosts.Max(value);
    }
}

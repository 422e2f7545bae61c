using System.Diagnostics.Metrics;

namespace Statehouse.Agents.Hosting;

/// <summary>Gauges over the hosts that live in this process (one; more in tests).</summary>
internal static class AgentsGauges
{
    private static readonly Lock Lock = new();
    private static readonly List<AgentHosting> Hosts = [];

    private static readonly ObservableGauge<long> Resident = AgentsMetrics.Meter.CreateObservableGauge(
        "statehouse.agents.resident", () => Sum(host => host.ResidentCount), "{agent}", "Agents in memory.");

    private static readonly ObservableGauge<long> FeedPosition = AgentsMetrics.Meter.CreateObservableGauge(
        "statehouse.feed.position", () => Max(host => host.FeedPosition.Value), null, "Highest commit_ts seen durable by this process.");

    /// <returns>Forgets the host when disposed.</returns>
    public static IDisposable Watch(AgentHosting host)
    {
        lock (Lock)
            Hosts.Add(host);
        return new Watched(host);
    }

    private static long Sum(Func<AgentHosting, long> value)
    {
        lock (Lock)
            return Hosts.Sum(value);
    }

    private static long Max(Func<AgentHosting, long> value)
    {
        lock (Lock)
            return Hosts.Count == 0 ? 0 : Hosts.Max(value);
    }

    private sealed class Watched(AgentHosting host) : IDisposable
    {
        public void Dispose()
        {
            lock (Lock)
                Hosts.Remove(host);
        }
    }
}

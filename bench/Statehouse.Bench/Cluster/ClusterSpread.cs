using System.Globalization;
using System.Net;
using System.Text;
using Statehouse.Bench.Load;

namespace Statehouse.Bench.Cluster;

/// <summary>How evenly agents come to lie on the silos of a running cluster.</summary>
internal sealed class ClusterSpread(IReadOnlyList<IPEndPoint> gateways, IReadOnlyList<IPEndPoint> silos, int agents, int connections)
{
    private const string Gauge = "statehouse_agents_resident ";

    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private int _next;

    /// <returns>0 where no silo is further than 20 % from an even share; 1 otherwise.</returns>
    public async Task<int> RunAsync(TextWriter output)
    {
        long[] before = await CountAsync();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(worker => Task.Run(() => TouchAsync(worker))));
        long[] after = await CountAsync();
        long[] added = [.. after.Zip(before, (now, then) => now - then)];
        double even = (double)added.Sum() / silos.Count;
        double worst = added.Max(count => Math.Abs(count - even) / even);
        output.WriteLine($"{agents} agents touched, {added.Sum()} came into memory: {string.Join(", ", added)} per silo; the furthest from even is off by {worst:P1}");
        return worst <= 0.2 && added.Sum() >= agents ? 0 : 1;
    }

    private async Task TouchAsync(int worker)
    {
        await using var connection = new HttpConnection(gateways[worker % gateways.Count]);
        int number;
        while ((number = Interlocked.Increment(ref _next)) <= agents)
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"/v1/namespaces/spread-{_run}/agents/agent-{number}/state/step");
            HttpReply reply = await connection.SendAsync("GET", path, null, null, default);
            // An agent that has no such key is in memory all the same.
            if (reply.Status != 404)
                throw new InvalidOperationException($"{path} was answered with {reply.Status}: {Encoding.UTF8.GetString(reply.Body.Span)}");
        }
    }

    private async Task<long[]> CountAsync()
    {
        using var client = new HttpClient();
        var counts = new List<long>();
        foreach (IPEndPoint silo in silos)
        {
            string text = await client.GetStringAsync(new Uri($"http://{silo}/metrics"));
            string line = text.Split('\n').First(each => each.StartsWith(Gauge, StringComparison.Ordinal));
            counts.Add(long.Parse(line.AsSpan(Gauge.Length), NumberStyles.Float, CultureInfo.InvariantCulture));
        }
        return [.. counts];
    }
}

using System.Diagnostics;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Bench;

/// <param name="Agents">Agents written, in turn.</param>
/// <param name="InFlight">Commits waiting at once: closed loop.</param>
/// <param name="Duration">Of one measured run.</param>
/// <param name="Runs">Measured runs; a warm-up of the same length goes before them.</param>
/// <param name="ValueBytes">Bytes of each value's JSON text.</param>
internal sealed record CommitLoadOptions(
    int Agents, int InFlight, TimeSpan Duration, int Runs, int ValueBytes);

/// <summary>A closed loop of one-operation commits over many agents, whoever hosts them.</summary>
internal static class CommitLoad
{
    public static async Task ReportAsync(string name, IAgents agents, CommitLoadOptions options, TextWriter output)
    {
        await MeasureAsync(agents, options);
        var rates = new List<double>();
        var latencies = new List<double>();
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        for (int run = 0; run < options.Runs; run++)
        {
            (double rate, List<double> milliseconds) = await MeasureAsync(agents, options);
            rates.Add(rate);
            latencies.AddRange(milliseconds);
        }
        cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        rates.Sort();
        latencies.Sort();
        output.WriteLine(
            $"{name}, {options.Agents} agents, {options.InFlight} in flight, {options.ValueBytes} B: " +
            $"median {rates[rates.Count / 2]:0} commits/s (min {rates[0]:0}, max {rates[^1]:0}), " +
            $"p50 {latencies[latencies.Count / 2]:0.00} ms, p99 {latencies[latencies.Count * 99 / 100]:0.00} ms, " +
            $"client {cpu.TotalSeconds * 1000 / (rates.Average() * options.Duration.TotalSeconds * options.Runs):0.000} CPU s per 1,000 commits");
    }

    private static async Task<(double Rate, List<double> Milliseconds)> MeasureAsync(IAgents agents, CommitLoadOptions options)
    {
        JsonText value = JsonText.Trusted(System.Text.Encoding.UTF8.GetBytes($"\"{new string('v', options.ValueBytes - 2)}\""));
        var key = new Key("step");
        long began = Stopwatch.GetTimestamp();
        int next = 0;
        Task<List<double>>[] workers = [.. Enumerable.Range(0, options.InFlight).Select(_ => Task.Run(async () =>
        {
            var milliseconds = new List<double>(65_536);
            while (Stopwatch.GetElapsedTime(began) < options.Duration)
            {
                var agent = new AgentId("bench", $"agent-{(uint)Interlocked.Increment(ref next) % options.Agents}");
                long sent = Stopwatch.GetTimestamp();
                await agents.Get(agent).CommitAsync(new CommitRequest([new Operation(OperationKind.Put, key, value)]), default);
                milliseconds.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }
            return milliseconds;
        }))];
        List<double>[] all = await Task.WhenAll(workers);
        double elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return (all.Sum(each => each.Count) / elapsed, [.. all.SelectMany(each => each)]);
    }
}

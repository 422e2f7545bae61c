using System.Diagnostics;
using System.Text;
using Statehouse.Bench.Load;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;

namespace Statehouse.Bench.Figures;

/// <summary>F7: one agent's whole journal over gRPC.</summary>
internal sealed class ReplayFigure : IFigure
{
    public string Id => "F7";

    public string What => "replay of one agent of 100,000 commits over gRPC, and what memory the server takes for it";

    public async Task RunAsync(BenchHost host)
    {
        int commits = host.Scaled(100_000, 5_000);
        foreach (JournalKind kind in host.Options.IsQuick ? [JournalKind.Sqlite] : Enum.GetValues<JournalKind>())
        {
            JournalPlace place = await host.NewPlaceAsync(kind);
            await Preparation.CommitsAsync(host, place, agent: 0, commits, keys: 100, valueBytes: 24);
            await using StatehouseServer server = await StatehouseServer.StartAsync(place);
            await MeasureAsync(host, server, $"gRPC, {place.Name}, {commits:n0} commits of 24 B", commits);
        }
    }

    private async Task MeasureAsync(BenchHost host, StatehouseServer server, string name, int commits)
    {
        using var connection = new GrpcConnection(server.Grpc);
        byte[] request = [.. Field(1, Names.Namespace), .. Field(2, Names.Agent(0))];
        var rates = new List<double>();
        await RateAsync(connection, request, commits, host.Plan.WarmUp);
        long before = Settle(server.ProcessId);
        for (int run = 0; run < host.Plan.Runs; run++)
            rates.Add(await RateAsync(connection, request, commits, host.Plan.Duration));
        host.Results.Add(CaseResult.Of(Id, name, "events/s", rates), Goal.AtLeast(400_000));
        long peak = ProcessWatch.PeakBytes(server.ProcessId);
        host.Results.Add(CaseResult.Of(Id, name, "MB of memory at most", [peak / 1e6]));
        host.Results.Add(CaseResult.Of(Id, name, "MB of memory more than before", [(peak - before) / 1e6]));
    }

    /// <summary>From the first commit to the last, again and again: one replay is over before the server runs as compiled for speed.</summary>
    private async Task<double> RateAsync(GrpcConnection connection, byte[] request, int commits, TimeSpan atLeast)
    {
        long began = Stopwatch.GetTimestamp();
        long replayed = 0;
        do
        {
            long events = await connection.CountAsync("Replay", request);
            if (events != commits)
                throw new BenchFailure($"{Id}: {commits} commits were written, and {events} replayed.");
            replayed += events;
        }
        while (Stopwatch.GetElapsedTime(began) < atLeast);
        return replayed / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static long Settle(int process)
    {
        ProcessWatch.ForgetPeak(process);
        return ProcessWatch.ResidentBytes(process);
    }

    private static byte[] Field(int number, string text) => [(byte)(number << 3 | 2), (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}

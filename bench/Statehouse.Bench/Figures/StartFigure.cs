using Statehouse.Bench.Load;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;

namespace Statehouse.Bench.Figures;

/// <summary>F8: a million agents on disk cost nothing at start.</summary>
internal sealed class StartFigure : IFigure
{
    public string Id => "F8";

    public string What => "start with 1,000,000 agents on disk: time until ready, and memory then; the disk's cache is warm";

    public async Task RunAsync(BenchHost host)
    {
        int agents = host.Scaled(1_000_000, 2_000);
        foreach (JournalKind kind in host.Options.IsQuick ? [JournalKind.Sqlite] : Enum.GetValues<JournalKind>())
        {
            JournalPlace place = await host.NewPlaceAsync(kind);
            await Preparation.AgentsAsync(host, place, 0, agents);
            await MeasureAsync(host, place, agents, $"{place.Name}, {agents:n0} agents");
        }
    }

    private async Task MeasureAsync(BenchHost host, JournalPlace place, int agents, string name)
    {
        var seconds = new List<double>();
        var megabytes = new List<double>();
        for (int run = 0; run <= host.Plan.Runs; run++)
        {
            await using StatehouseServer server = await StatehouseServer.StartAsync(place);
            long memory = ProcessWatch.PeakBytes(server.ProcessId);
            RequireLast(server, agents);
            await server.StopAsync();
            // The first start only brings the program and the files into the disk's cache.
            if (run == 0)
                continue;
            seconds.Add(server.StartTook.TotalSeconds);
            megabytes.Add(memory / 1e6);
        }
        host.Results.Add(CaseResult.Of(Id, name, "s", seconds), Goal.AtMost(2));
        host.Results.Add(CaseResult.Of(Id, name, "MB of memory at most", megabytes), Goal.AtMost(250));
    }

    /// <summary>It really is that journal that it serves.</summary>
    private static void RequireLast(StatehouseServer server, int agents)
    {
        using var http = new BlockingHttpClient(server.Http);
        string start = $"GET {new AgentPaths().Key(agents - 1, 0)}";
        int status = http.Send(start, default, out ReadOnlySpan<byte> reply);
        if (status != 200)
            throw new BenchFailure($"F8: {start} was answered {status}: {System.Text.Encoding.UTF8.GetString(reply)}");
    }
}

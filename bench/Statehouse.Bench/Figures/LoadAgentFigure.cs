using System.Diagnostics;
using Statehouse.Agents;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;

namespace Statehouse.Bench.Figures;

/// <summary>F9: the first read of an agent that is not in memory.</summary>
internal sealed class LoadAgentFigure : IFigure
{
    private const int Keys = 200;

    public string Id => "F9";

    public string What => "the first read of an agent of 10,000 commits and 200 live keys that is not in memory";

    public async Task RunAsync(BenchHost host)
    {
        int commits = host.Scaled(10_000, 1_000);
        foreach (JournalKind kind in host.Options.IsQuick ? [JournalKind.Sqlite] : Enum.GetValues<JournalKind>())
        {
            JournalPlace place = await host.NewPlaceAsync(kind);
            await Preparation.CommitsAsync(host, place, agent: 0, commits, Keys, valueBytes: 200);
            CaseResult result = await FirstReadAsync(host, place, Id, $"in process, {place.Name}, {commits:n0} commits, {Keys} keys", commits);
            host.Results.Add(result, Goal.AtMost(10));
        }
    }

    /// <summary>Opens the journal anew for each measured read; a read of another agent before it makes code and connections ready.</summary>
    public static async Task<CaseResult> FirstReadAsync(BenchHost host, JournalPlace place, string figure, string name, long version)
    {
        int samples = host.Scaled(20, 3);
        var milliseconds = new List<double>();
        var latencies = new LatencyHistogram();
        for (int sample = 0; sample <= samples; sample++)
        {
            await using OpenedAgents opened = await OpenedAgents.OpenAsync(place);
            await opened.Agents.Get(InProcessSession.Id(int.MaxValue)).GetAsync(new GetRequest(InProcessSession.KeyOf(0)), default);
            long began = Stopwatch.GetTimestamp();
            KeyState state = await opened.Agents.Get(InProcessSession.Id(0)).GetAsync(new GetRequest(InProcessSession.KeyOf(0)), default);
            long took = Stopwatch.GetTimestamp() - began;
            if (!state.Exists || state.AgentVersion.Value != version)
                throw new BenchFailure($"{figure}: the agent was read at version {state.AgentVersion}, and has {version} commits.");
            // The first one compiles what the others run.
            if (sample == 0)
                continue;
            milliseconds.Add(took * 1000.0 / Stopwatch.Frequency);
            latencies.Record(took);
        }
        return CaseResult.Of(figure, name, "ms", milliseconds, latencies);
    }
}

using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;

namespace Statehouse.Bench.Figures;

/// <summary>What work costs as there is more of it: the same measure at growing sizes, and a curve of them.</summary>
internal abstract class GrowthFigure : IFigure
{
    private const int InFlight = 16;

    public abstract string Id { get; }

    public abstract string What { get; }

    /// <summary>What grows, for the curve's axis.</summary>
    protected abstract string Axis { get; }

    protected abstract int[] Sizes(BenchHost host);

    /// <summary>Brings the place from one size to the next.</summary>
    /// <returns>Commits that it holds then.</returns>
    protected abstract Task<long> GrowAsync(BenchHost host, JournalPlace place, int from, int to);

    protected abstract IWorkload Workload(BenchHost host, int size);

    /// <summary>Whether agent 0's first read is measured too: it grows with what the agent holds.</summary>
    protected virtual bool ReadsFirst => true;

    public async Task RunAsync(BenchHost host)
    {
        var commits = new List<CaseResult>();
        var reads = new List<CaseResult>();
        int[] sizes = Sizes(host);
        foreach (int size in sizes)
        {
            // A place of its own per size: what was measured on the smaller one is not part of the larger.
            JournalPlace place = await host.NewPlaceAsync(JournalKind.Sqlite);
            long before = await GrowAsync(host, place, 0, size);
            string name = $"in process, SQLite, {size:n0} {Axis}";
            if (ReadsFirst)
            {
                reads.Add(await LoadAgentFigure.FirstReadAsync(host, place, Id, $"{name}, first read", before));
                host.Results.Add(reads[^1]);
            }
            await using InProcessTarget target = await InProcessTarget.OpenAsync(place);
            var runner = new CaseRunner(host, Id, target, before);
            commits.Add(await runner.RunAsync(new LoadCase(Workload(host, size), new LoadShape(InFlight)) { Name = $"{name}, {InFlight} in flight" }));
            await runner.VerifyAfterCrashAsync();
        }
        Draw(host, $"{Id}-commits", "commits per second", "commits/s", sizes, commits);
        if (ReadsFirst)
            Draw(host, $"{Id}-first-read", "first read", "ms", sizes, reads);
    }

    private void Draw(BenchHost host, string file, string what, string unit, int[] sizes, List<CaseResult> results)
    {
        string path = Path.Combine(host.Options.Charts, $"{file}.svg");
        Directory.CreateDirectory(host.Options.Charts);
        File.WriteAllText(path, GrowthChart.Draw(
            $"{What}: {what}{(host.Options.IsQuick ? " (quick run: the numbers mean nothing)" : "")}", Axis, unit,
            [.. sizes.Zip(results, (size, result) => new GrowthPoint(size, result.Median, result.Min, result.Max))]));
        host.Results.Say($"{"",-12} drawn: {path}");
    }
}

internal sealed class AgentsGrowthFigure : GrowthFigure
{
    public override string Id => "growth-agents";

    public override string What => "Commits on agents chosen at random out of 1,000 to 1,000,000";

    protected override string Axis => "agents";

    protected override bool ReadsFirst => false;

    protected override int[] Sizes(BenchHost host) => host.Options.IsQuick ? [100, 1_000] : [1_000, 10_000, 100_000, 1_000_000];

    protected override async Task<long> GrowAsync(BenchHost host, JournalPlace place, int from, int to)
    {
        await Preparation.AgentsAsync(host, place, from, to);
        return to - from;
    }

    protected override IWorkload Workload(BenchHost host, int size) => new RandomPuts(size, 200, host.Options.Seed);
}

internal sealed class CommitsGrowthFigure : GrowthFigure
{
    private const int Keys = 100;

    public override string Id => "growth-commits";

    public override string What => "Commits on one agent of 100 keys that has 1,000 to 100,000";

    protected override string Axis => "commits";

    protected override int[] Sizes(BenchHost host) => host.Options.IsQuick ? [100, 1_000] : [1_000, 3_000, 10_000, 30_000, 100_000];

    protected override async Task<long> GrowAsync(BenchHost host, JournalPlace place, int from, int to)
    {
        await Preparation.CommitsAsync(host, place, agent: 0, to - from, Keys, valueBytes: 200);
        return to - from;
    }

    protected override IWorkload Workload(BenchHost host, int size) => new OneAgentPuts(Keys, 200, host.Options.Seed);
}

internal sealed class KeysGrowthFigure : GrowthFigure
{
    public override string Id => "growth-keys";

    public override string What => "Commits on one agent of 10 to 100,000 keys";

    protected override string Axis => "keys";

    protected override int[] Sizes(BenchHost host) => host.Options.IsQuick ? [10, 1_000] : [10, 100, 1_000, 10_000, 100_000];

    protected override async Task<long> GrowAsync(BenchHost host, JournalPlace place, int from, int to)
    {
        await Preparation.KeysAsync(host, place, agent: 0, from, to);
        return (to - from + Preparation.KeysPerCommit - 1) / Preparation.KeysPerCommit;
    }

    protected override IWorkload Workload(BenchHost host, int size) => new OneAgentPuts(size, 200, host.Options.Seed);
}

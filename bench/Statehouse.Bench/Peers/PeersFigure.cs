using System.Globalization;
using Statehouse.Bench.Figures;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;

namespace Statehouse.Bench.Peers;

/// <summary>
/// The same workloads on Statehouse and on every peer, all started once and measured in turn, round by round, forwards and
/// backwards. A peer that is missing here is left out; one that fails is left out from there on, and fails the figure in the end.
/// </summary>
internal sealed class PeersFigure : IFigure
{
    private const int ValueBytes = 200;

    private readonly List<string> _bad = [];

    public string Id => "peers";

    public string What => "Statehouse beside other stores";

    public async Task RunAsync(BenchHost host)
    {
        var entered = new List<Entry>();
        try
        {
            await EnterAsync(host, entered);
            foreach ((IWorkload workload, int inFlight) in Cases(host))
                await MeasureAsync(host, entered, new LoadCase(workload, new LoadShape(inFlight)));
            // Peers first: the database server dies with each of them that is nothing but it, and Statehouse's journals there must stand that too.
            foreach (Entry entry in entered.OrderBy(entry => entry.Contestant.IsStatehouse))
                await entry.TryAsync(entry.Runner.VerifyAfterCrashAsync);
        }
        finally
        {
            foreach (Entry entry in entered)
                await entry.Runner.Target.DisposeAsync();
        }
        _bad.AddRange(entered.Where(entry => entry.Failure is not null).Select(entry => $"{entry.Name}: {entry.Failure!.Message}"));
        if (_bad.Count > 0)
            throw new BenchFailure(string.Join("; ", _bad));
        host.Results.Say($"{Id,-12} every acknowledged commit was there when the runs were over, and again after kill -9 (in process: opened anew): {string.Join("; ", entered.Select(entry => entry.Name))}");
    }

    private static IEnumerable<(IWorkload, int)> Cases(BenchHost host)
    {
        var puts = new Puts(host.Scaled(10_000, 200), ValueBytes, host.Options.Seed);
        var gets = new Gets(puts.Agents, ValueBytes, host.Options.Seed);
        var hot = new Puts(1, ValueBytes, host.Options.Seed);
        return host.Options.IsQuick ? [(puts, 16), (gets, 16), (hot, 4)] : [(puts, 16), (puts, 64), (puts, 256), (gets, 64), (hot, 16)];
    }

    private async Task EnterAsync(BenchHost host, List<Entry> entered)
    {
        var peers = new PeerHost(host);
        IReadOnlyList<string> wanted = host.Options.Peers is { Count: > 0 } named ? named : PeerCatalog.Ids;
        foreach (Contestant contestant in PeerCatalog.All.Where(each => each.IsStatehouse || wanted.Contains(each.Id)))
        {
            try
            {
                ITarget target = await contestant.StartAsync(host, peers);
                entered.Add(new Entry(contestant, new CaseRunner(host, Id, target), host));
                if (target is IPeer peer)
                    host.Results.SayFact($"{contestant.Id,-12} {peer.Software}");
                if (target.NotComparable is { } difference)
                    host.Results.SayFact($"{"",-12} not the same promise as Statehouse's: {difference}");
            }
            catch (MissingHere missing) when (!contestant.IsStatehouse)
            {
                host.Results.SayFact($"{contestant.Id,-12} missing here: {missing.Message}");
                if (host.Options.Peers!.Contains(contestant.Id))
                    _bad.Add($"{contestant.Id} was asked for by name and is missing here: {missing.Message}");
            }
        }
    }

    private async Task MeasureAsync(BenchHost host, List<Entry> entered, LoadCase load)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{load.Shape.InFlight} in flight, {(load.Workload is Gets ? "reads, " : "")}{load.Workload.Name}");
        host.Results.Say($"{Environment.NewLine}{name}");
        var open = new List<Entry>();
        foreach (Entry entry in entered)
        {
            if (await entry.TryAsync(async () => entry.Opened = await entry.Runner.OpenAsync(load with { Name = $"{entry.Name}; {name}" })))
                open.Add(entry);
        }
        for (int round = 0; round < host.Plan.Runs; round++)
        {
            foreach (Entry entry in round % 2 == 0 ? open : Enumerable.Reverse(open))
                await entry.TryAsync(() => RunAsync(host, entry.Opened!));
        }
        foreach (Entry entry in open)
            await entry.TryAsync(entry.Opened!.ReportAsync);
        foreach (CaseResult ratio in RatioTable.Of(Id, name, [.. open.Where(entry => entry.Failure is null).Select(entry => entry.Rates)]))
            host.Results.Add(ratio);
    }

    private static async Task RunAsync(BenchHost host, OpenedCase opened)
    {
        await opened.ConnectAsync();
        try
        {
            // Others ran in between: its pages and its code must come back first.
            await opened.WarmUpAsync(host.Plan.WarmUp / 2);
            await opened.RunAsync(host.Plan.Duration);
        }
        finally
        {
            await opened.DisconnectAsync();
        }
    }

    private sealed class Entry(Contestant contestant, CaseRunner runner, BenchHost host)
    {
        public Contestant Contestant => contestant;

        public CaseRunner Runner => runner;

        public string Name => runner.Target.Name;

        public OpenedCase? Opened { get; set; }

        /// <summary>Why it takes no part any more.</summary>
        public Exception? Failure { get; private set; }

        public ContestantRates Rates => new(Name, contestant.IsStatehouse, [.. Opened!.Rates]);

        /// <returns>Whether it still takes part.</returns>
        public async Task<bool> TryAsync(Func<Task> step)
        {
            if (Failure is not null)
                return false;
            try
            {
                await step();
                return true;
            }
            catch (Exception failure)
            {
                // Said again, with what else failed, as the figure's failure: the others' figures are still worth having.
                Failure = failure;
                host.Results.Say($"{"peers",-12} FAILED: {Name}: {(failure is BenchFailure ? failure.Message : failure)}");
                return false;
            }
        }
    }
}

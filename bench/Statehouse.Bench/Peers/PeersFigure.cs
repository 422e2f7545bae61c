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
    private readonly Dictionary<string, double> _waitingCpu = [];
    private double _runSeconds;

    public string Id => "peers";

    public string What => "Statehouse beside other stores";

    public async Task RunAsync(BenchHost host)
    {
        var entered = new List<Entry>();
        try
        {
            await EnterAsync(host, entered);
            host.Results.SayFact($"{Id,-12} in process there is no protocol and no other process between caller and store, and a read comes from the caller's own memory");
            foreach ((IWorkload workload, int inFlight) in Cases(host))
                await MeasureAsync(host, entered, new LoadCase(workload, new LoadShape(inFlight)));
            host.Results.SayFact(string.Create(
                CultureInfo.InvariantCulture,
                $"{Id,-12} while one was measured, those that waited took {Share(_waitingCpu.Values.Sum())} of the processors: {string.Join(", ", _waitingCpu.Select(each => $"{each.Key} {Share(each.Value)}"))}"));
            foreach (Entry entry in entered)
                entry.WakeUp();
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
        host.Results.SayFact($"{Id,-12} every acknowledged commit was there when the runs were over, and again after kill -9 (in process: opened anew): {string.Join("; ", entered.Select(entry => entry.Name))}");
    }

    private string Share(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{100 * seconds / _runSeconds / Environment.ProcessorCount:n1} %");

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
                var entry = new Entry(contestant, new CaseRunner(host, Id, target), host);
                entered.Add(entry);
                entry.StandStill();
                if (target is IPeer peer)
                    host.Results.SayFact($"{contestant.Id,-12} {peer.Software}");
                if (target.NotComparable is { } difference)
                    host.Results.SayFact($"{contestant.Id,-12} not the same promise as Statehouse's: {difference}");
            }
            catch (MissingHere missing)
            {
                host.Results.SayFact($"{contestant.Id ?? "statehouse",-12} missing here: {missing.Message}");
                if (host.Options.Peers!.Contains(contestant.Id))
                    _bad.Add($"{contestant.Id} was asked for by name and is missing here: {missing.Message}");
            }
            catch (Exception failure) when (!contestant.IsStatehouse)
            {
                // As where it fails later: the others' figures are still worth having.
                host.Results.Say($"{Id,-12} FAILED: {contestant.Id} did not start: {(failure is BenchFailure ? failure.Message : failure)}");
                _bad.Add($"{contestant.Id} did not start: {failure.Message}");
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
                await entry.TryAsync(() => RunAsync(host, entry, entered));
        }
        foreach (Entry entry in open)
            await entry.TryAsync(entry.Opened!.ReportAsync);
        ContestantRates[] rates = [.. open.Where(entry => entry.Failure is null).Select(entry => entry.Rates)];
        foreach (CaseResult ratio in RatioTable.Of(Id, name, rates))
            host.Results.Add(ratio);
        host.Results.AddTable(RatioTable.Markdown(name, load.Workload.Unit, rates));
    }

    private async Task RunAsync(BenchHost host, Entry entry, List<Entry> all)
    {
        OpenedCase opened = entry.Opened!;
        // The database server is several contestants'; it waits only while none of them is measured.
        (WatchedProcess Process, string Name)[] waiting = [.. all.SelectMany(each => each.Processes.Select(process => (process, process.IsDatabase ? "the database" : each.Name)))
            .DistinctBy(each => each.process.Id).Where(each => each.process.Id != Environment.ProcessId && !entry.Processes.Contains(each.process))];
        await opened.ConnectAsync();
        try
        {
            // Others ran in between: its pages and its code must come back first.
            await opened.WarmUpAsync(host.Plan.WarmUp / 2);
            double[] before = [.. waiting.Select(each => ProcessWatch.CpuSeconds(each.Process))];
            await opened.RunAsync(host.Plan.Duration);
            for (int i = 0; i < waiting.Length; i++)
                _waitingCpu[waiting[i].Name] = _waitingCpu.GetValueOrDefault(waiting[i].Name) + ProcessWatch.CpuSeconds(waiting[i].Process) - before[i];
            _runSeconds += host.Plan.Duration.TotalSeconds;
        }
        finally
        {
            await opened.DisconnectAsync();
        }
    }

    private sealed class Entry(Contestant contestant, CaseRunner runner, BenchHost host)
    {
        private IStandsStill? _still;

        public Contestant Contestant => contestant;

        public CaseRunner Runner => runner;

        public string Name => runner.Target.Name;

        public IEnumerable<WatchedProcess> Processes => Failure is null ? runner.Target.Processes : [];

        public OpenedCase? Opened { get; set; }

        /// <summary>Why it takes no part any more.</summary>
        public Exception? Failure { get; private set; }

        public ContestantRates Rates => new(Name, contestant.IsStatehouse, [.. Opened!.Rates]);

        /// <summary>From now on, and whenever it is not its turn.</summary>
        public void StandStill()
        {
            _still = runner.Target as IStandsStill;
            _still?.Pause();
        }

        /// <summary>From now on: what comes ends it.</summary>
        public void WakeUp()
        {
            _still?.Resume();
            _still = null;
        }

        /// <returns>Whether it still takes part.</returns>
        public async Task<bool> TryAsync(Func<Task> step)
        {
            if (Failure is not null)
                return false;
            try
            {
                _still?.Resume();
                await step();
                _still?.Pause();
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

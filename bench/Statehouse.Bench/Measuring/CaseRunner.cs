using System.Globalization;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;

namespace Statehouse.Bench.Measuring;

/// <summary>One case: a workload in a shape.</summary>
/// <param name="Workload">What is asked.</param>
/// <param name="Shape">How it arrives.</param>
/// <param name="Goal">What its rate should reach; null = nothing.</param>
internal sealed record LoadCase(IWorkload Workload, LoadShape Shape, Goal? Goal = null)
{
    /// <summary>Name of the case; null = target, sessions and workload in words.</summary>
    public string? Name { get; init; }
}

/// <summary>
/// Measures cases on one target: preparation, warm-up, runs, what it all cost; and whether every commit that was counted is in
/// the store, before and after the store's process was killed.
/// </summary>
/// <param name="host">Plan, results.</param>
/// <param name="figure">The figure's id.</param>
/// <param name="target">Empty, or holding <paramref name="commitsBefore"/> commits.</param>
/// <param name="commitsBefore">Commits that it holds already.</param>
internal sealed class CaseRunner(BenchHost host, string figure, ITarget target, long commitsBefore = 0)
{
    private const int PreparingSessions = 32;
    private const double MegaByte = 1_000_000;

    private readonly Random _arrivals = new(host.Options.Seed);
    private long _acknowledged = commitsBefore;
    private long _nextNumber;

    /// <summary>The cases in turn, and then the crash.</summary>
    public async Task RunAllAsync(params IReadOnlyList<LoadCase> cases)
    {
        foreach (LoadCase each in cases)
            await RunAsync(each);
        await VerifyAfterCrashAsync();
    }

    /// <returns>The median rate.</returns>
    /// <exception cref="BenchFailure">A request failed, or the store does not hold what was acknowledged.</exception>
    public async Task<CaseResult> RunAsync(LoadCase load)
    {
        RequestKind[] unknown = [.. load.Workload.Asks.Except(target.Answers)];
        if (unknown.Length > 0)
            throw new BenchFailure($"{figure}: {target.Name} cannot answer {string.Join(", ", unknown)}.");
        await PrepareAsync(load.Workload);
        string name = load.Name ?? NameOf(load);
        ISession[] sessions = await ConnectAsync(load.Shape.InFlight);
        try
        {
            await RunOnceAsync(sessions, load, host.Plan.WarmUp, name);
            return await MeasureAsync(sessions, load, name);
        }
        finally
        {
            foreach (ISession session in sessions)
                await session.DisposeAsync();
        }
    }

    /// <summary>Kills the target and counts again: an acknowledged commit is in what is left, or the figure is none.</summary>
    public async Task VerifyAfterCrashAsync()
    {
        long? found = await target.CrashAndCountAsync(CancellationToken.None);
        if (found is not null && found != _acknowledged)
            throw new BenchFailure($"{figure}, {target.Name}: {_acknowledged} commits were acknowledged, and {found} were there after the crash.");
    }

    private async Task<CaseResult> MeasureAsync(ISession[] sessions, LoadCase load, string name)
    {
        await VerifyAsync(name);
        long disk = await target.DiskBytesAsync(CancellationToken.None);
        ForgetPeaks();
        double[] cpu = Cpu();
        double loadCpu = LoadCpu();
        var outcomes = new List<LoadOutcome>();
        for (int run = 0; run < host.Plan.Runs; run++)
            outcomes.Add(await RunOnceAsync(sessions, load, host.Plan.Duration, name));
        var used = new Usage(
            [.. Cpu().Zip(cpu, (after, before) => after - before)], LoadCpu() - loadCpu, Servers.Sum(process => ProcessWatch.PeakBytes(process.Id)));
        await VerifyAsync(name);
        return await ReportAsync(load, name, outcomes, used, await target.DiskBytesAsync(CancellationToken.None) - disk);
    }

    private async Task<CaseResult> ReportAsync(LoadCase load, string name, List<LoadOutcome> outcomes, Usage used, long diskBytes)
    {
        var all = new LoadOutcome();
        foreach (LoadOutcome outcome in outcomes)
            all.Merge(outcome);
        CaseResult rate = CaseResult.Of(figure, name, load.Workload.Unit, outcomes.Select(each => each.Requests / each.Elapsed.TotalSeconds), all.Latencies);
        host.Results.Add(rate, load.Goal, Remark(load.Shape, all, rate.Median));
        if (target.NotComparable is { } difference)
            host.Results.Say($"{"",-12} not the same promise: {difference}");
        // Where there are reads beside the commits, a commit's share of the work cannot be told.
        (long per, string what) = all.Commits >= all.Requests ? (all.Commits, "commits") : (all.Requests, "requests");
        if (target.Processes.Count > 0)
            Add(name, $"CPU s per 1,000 {what}", used.TargetCpu.Sum() * 1000 / per, CpuShares(used, per));
        if (all.Commits > 0 && diskBytes > 0)
            Add(name, "bytes on disk per commit", (double)diskBytes / all.Commits);
        if (Servers.Any())
            Add(name, "MB of memory at most", used.PeakBytes / MegaByte);
        await host.Results.Output.FlushAsync();
        return rate;
    }

    private void Add(string name, string unit, double value, string? remark = null) =>
        host.Results.Add(CaseResult.Of(figure, name, unit, [value]), null, remark);

    private async Task<LoadOutcome> RunOnceAsync(ISession[] sessions, LoadCase load, TimeSpan duration, string name)
    {
        var run = new LoadRun(sessions, load.Workload, _nextNumber);
        LoadOutcome outcome = load.Shape.RatePerSecond is { } rate
            ? await run.OpenAsync(duration, rate, _arrivals)
            : await run.ClosedAsync(duration);
        _nextNumber = run.NextNumber;
        _acknowledged += outcome.Commits;
        if (outcome.Errors > 0)
            throw new BenchFailure($"{figure}, {name}: {outcome.Errors} requests failed beside {outcome.Requests} answered ones. The first: {outcome.FirstError!.Message}", outcome.FirstError);
        if (outcome.Requests == 0)
            throw new BenchFailure($"{figure}, {name}: no request was answered in {duration.TotalSeconds} s.");
        return outcome;
    }

    private async Task PrepareAsync(IWorkload workload)
    {
        // A fixed order, shared out: each session takes the next one that is left.
        using IEnumerator<Request> requests = workload.Preparation.GetEnumerator();
        ISession[] sessions = await ConnectAsync(PreparingSessions);
        long[] commits = await Task.WhenAll(sessions.Select(session => Task.Factory.StartNew(
            async () =>
            {
                long acknowledged = 0;
                while (Next(requests) is { } request)
                    acknowledged += (await session.AskAsync(request, CancellationToken.None)).Commits;
                return acknowledged;
            },
            CancellationToken.None, session.Blocks ? TaskCreationOptions.LongRunning : TaskCreationOptions.None, TaskScheduler.Default).Unwrap()));
        _acknowledged += commits.Sum();
        foreach (ISession session in sessions)
            await session.DisposeAsync();
    }

    private static Request? Next(IEnumerator<Request> requests)
    {
        lock (requests)
            return requests.MoveNext() ? requests.Current : null;
    }

    private async Task VerifyAsync(string name)
    {
        long? found = await target.CountCommitsAsync(CancellationToken.None);
        if (found is not null && found != _acknowledged)
            throw new BenchFailure($"{figure}, {name}: {_acknowledged} commits were acknowledged so far, and the store holds {found}.");
    }

    private async Task<ISession[]> ConnectAsync(int count)
    {
        var sessions = new ISession[count];
        for (int i = 0; i < count; i++)
            sessions[i] = await target.ConnectAsync(CancellationToken.None);
        return sessions;
    }

    private IEnumerable<WatchedProcess> Servers => target.Processes.Where(process => !process.IsDatabase);

    private bool IsInProcess => target.Processes.Any(process => process.Id == Environment.ProcessId);

    private void ForgetPeaks()
    {
        // What earlier figures left in this process's heap is no part of this one.
        if (IsInProcess)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        foreach (WatchedProcess process in Servers)
            ProcessWatch.ForgetPeak(process.Id);
    }

    private double[] Cpu() => [.. target.Processes.Select(ProcessWatch.CpuSeconds)];

    /// <summary>In process, the load is part of the server's.</summary>
    private string? CpuShares(Usage used, long per)
    {
        IEnumerable<string> shares = target.Processes.Zip(
            used.TargetCpu, (process, seconds) => $"{(process.IsDatabase ? "database" : "server")} {Results.Number(seconds * 1000 / per)}");
        if (!IsInProcess)
            return string.Join(", ", shares.Append($"and the load {Results.Number(used.LoadCpu * 1000 / per)} beside it"));
        return target.Processes.Count > 1 ? string.Join(", ", shares) : null;
    }

    private static double LoadCpu() => ProcessWatch.CpuSeconds(new WatchedProcess(Environment.ProcessId));

    private string NameOf(LoadCase load) => string.Create(
        CultureInfo.InvariantCulture,
        $"{target.Name}, {load.Shape.InFlight} in flight{(load.Shape.RatePerSecond is { } rate ? $", open loop at {rate:n0}/s" : "")}, {load.Workload.Name}");

    private string? Remark(LoadShape shape, LoadOutcome all, double rate)
    {
        if (shape.IsOpen)
            return string.Create(CultureInfo.InvariantCulture, $"{100.0 * all.StartedLate / all.Requests:n1} % were due while all {shape.InFlight} were busy");
        string door = target.Name.Split(',')[0];
        return host.Ceilings.TryGetValue(door, out double ceiling)
            ? string.Create(CultureInfo.InvariantCulture, $"{100 * rate / ceiling:n0} % of the load's own ceiling")
            : null;
    }

    /// <param name="TargetCpu">Seconds of processor time, per process of the target.</param>
    /// <param name="LoadCpu">Of this process.</param>
    /// <param name="PeakBytes">Memory of the servers at most, databases left out.</param>
    private readonly record struct Usage(double[] TargetCpu, double LoadCpu, long PeakBytes);
}

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

    private readonly Random _arrivals = new(host.Options.Seed);
    private long _acknowledged = commitsBefore;
    private long _nextNumber;

    public BenchHost Host => host;

    public string Figure => figure;

    public ITarget Target => target;

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
        await using OpenedCase opened = await OpenAsync(load);
        await opened.ConnectAsync();
        await opened.WarmUpAsync(host.Plan.WarmUp);
        for (int run = 0; run < host.Plan.Runs; run++)
            await opened.RunAsync(host.Plan.Duration);
        CaseResult rate = await opened.ReportAsync();
        if (target.NotComparable is { } difference)
            host.Results.Say($"{"",-12} not the same promise: {difference}");
        return rate;
    }

    /// <summary>A case whose runs the caller makes, with other things between them.</summary>
    /// <exception cref="BenchFailure">The target cannot answer it.</exception>
    public async Task<OpenedCase> OpenAsync(LoadCase load)
    {
        RequestKind[] unknown = [.. load.Workload.Asks.Except(target.Answers)];
        if (unknown.Length > 0)
            throw new BenchFailure($"{figure}: {target.Name} cannot answer {string.Join(", ", unknown)}.");
        await PrepareAsync(load.Workload);
        return new OpenedCase(this, load);
    }

    /// <summary>Kills the target and counts again: an acknowledged commit is in what is left, or the figure is none.</summary>
    public async Task VerifyAfterCrashAsync()
    {
        long? found = await target.CrashAndCountAsync(CancellationToken.None);
        if (found is not null && found != _acknowledged)
            throw new BenchFailure($"{figure}, {target.Name}: {_acknowledged} commits were acknowledged, and {found} were there after the crash.");
    }

    /// <summary>Whether the store holds what was acknowledged so far.</summary>
    public async Task VerifyAsync(string name)
    {
        long? found = await target.CountCommitsAsync(CancellationToken.None);
        if (found is not null && found != _acknowledged)
            throw new BenchFailure($"{figure}, {name}: {_acknowledged} commits were acknowledged so far, and the store holds {found}.");
    }

    /// <summary>One run, whose commits count as acknowledged.</summary>
    /// <exception cref="BenchFailure">A request failed, or none was answered.</exception>
    public async Task<LoadOutcome> RunOnceAsync(ISession[] sessions, LoadCase load, TimeSpan duration, string name)
    {
        LoadOutcome outcome = target is ILoadsItself itself
            ? await RunItselfAsync(itself, load, duration)
            : await RunSessionsAsync(sessions, load, duration);
        _acknowledged += outcome.Commits;
        if (outcome.Errors > 0)
            throw new BenchFailure($"{figure}, {name}: {outcome.Errors} requests failed beside {outcome.Requests} answered ones. The first: {outcome.FirstError!.Message}", outcome.FirstError);
        if (outcome.Requests == 0)
            throw new BenchFailure($"{figure}, {name}: no request was answered in {duration.TotalSeconds} s.");
        return outcome;
    }

    public async Task<ISession[]> ConnectAsync(int count)
    {
        if (target is ILoadsItself)
            return [];
        var sessions = new ISession[count];
        for (int i = 0; i < count; i++)
            sessions[i] = await target.ConnectAsync(CancellationToken.None);
        return sessions;
    }

    private async Task<LoadOutcome> RunSessionsAsync(ISession[] sessions, LoadCase load, TimeSpan duration)
    {
        var run = new LoadRun(sessions, load.Workload, _nextNumber);
        LoadOutcome outcome = load.Shape.RatePerSecond is { } rate
            ? await run.OpenAsync(duration, rate, _arrivals)
            : await run.ClosedAsync(duration);
        _nextNumber = run.NextNumber;
        return outcome;
    }

    private async Task<LoadOutcome> RunItselfAsync(ILoadsItself itself, LoadCase load, TimeSpan duration)
    {
        if (load.Shape.IsOpen)
            throw new BenchFailure($"{figure}: {target.Name} makes its load itself, in a closed loop.");
        LoadOutcome outcome = await itself.RunAsync(load.Workload, load.Shape.InFlight, duration, _nextNumber);
        _nextNumber += Math.Max(outcome.Requests, outcome.Commits);
        return outcome;
    }

    private async Task PrepareAsync(IWorkload workload)
    {
        if (target is ILoadsItself itself)
        {
            _acknowledged += await itself.PrepareAsync(workload);
            return;
        }
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
}

using System.Diagnostics;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;

namespace Statehouse.Bench.Measuring;

/// <summary>
/// One run of a workload over open sessions. A request that fails ends its session's part: errors are counted, never passed
/// over, and the case fails on them.
/// </summary>
/// <param name="sessions">Each has one request at a time in flight.</param>
/// <param name="workload">What to ask.</param>
/// <param name="firstNumber">Requests are numbered from here, so that runs after each other differ.</param>
internal sealed class LoadRun(IReadOnlyList<ISession> sessions, IWorkload workload, long firstNumber)
{
    private long _next = firstNumber - 1;

    /// <summary>The number behind the last request of this run.</summary>
    public long NextNumber => Volatile.Read(ref _next) + 1;

    /// <summary>Each session sends its next request when it has its answer, until the time is up.</summary>
    public async Task<LoadOutcome> ClosedAsync(TimeSpan duration)
    {
        long ticks = (long)(duration.TotalSeconds * Stopwatch.Frequency);
        if (sessions.All(session => session.Blocks))
            return await OnThreadsAsync((session, began) => ClosedBlocking(session, began + ticks));
        long began = Stopwatch.GetTimestamp();
        return Sum(began, await Task.WhenAll(sessions.Select(session => Task.Run(() => ClosedAsync(session, began + ticks)))));
    }

    /// <summary>
    /// Requests are due at moments fixed before the run. Sessions take them in turn; one that is due while all are busy starts
    /// late, and its latency counts from when it was due: a target that stalls cannot make its callers wait unseen
    /// (coordinated omission).
    /// </summary>
    /// <param name="duration">The last request is due then.</param>
    /// <param name="ratePerSecond">Mean; the gaps are exponential.</param>
    /// <param name="random">Draws the gaps.</param>
    public Task<LoadOutcome> OpenAsync(TimeSpan duration, double ratePerSecond, Random random)
    {
        var due = new List<long>();
        double seconds = 0;
        while ((seconds += -Math.Log(1 - random.NextDouble()) / ratePerSecond) < duration.TotalSeconds)
            due.Add((long)(seconds * Stopwatch.Frequency));
        int taken = -1;
        return OnThreadsAsync((session, began) =>
        {
            var outcome = new LoadOutcome();
            for (int i; (i = Interlocked.Increment(ref taken)) < due.Count && outcome.Errors == 0;)
                AskWhenDue(session, began + due[i], outcome);
            return outcome;
        });
    }

    private void AskWhenDue(ISession session, long due, LoadOutcome outcome)
    {
        if (Stopwatch.GetTimestamp() >= due)
            outcome.OnLateStart();
        else
            PreciseWait.Until(due);
        AskBlocking(session, due, outcome);
    }

    private LoadOutcome ClosedBlocking(ISession session, long end)
    {
        var outcome = new LoadOutcome();
        for (long sent; (sent = Stopwatch.GetTimestamp()) < end && outcome.Errors == 0;)
            AskBlocking(session, sent, outcome);
        return outcome;
    }

    private void AskBlocking(ISession session, long from, LoadOutcome outcome)
    {
        try
        {
            ValueTask<Answer> pending = session.AskAsync(workload.Request(Interlocked.Increment(ref _next)), CancellationToken.None);
            Answer answer = pending.IsCompletedSuccessfully ? pending.Result : pending.AsTask().GetAwaiter().GetResult();
            outcome.OnAnswer(answer, Stopwatch.GetTimestamp() - from);
        }
        catch (Exception error)
        {
            outcome.OnError(error);
        }
    }

    private async Task<LoadOutcome> ClosedAsync(ISession session, long end)
    {
        var outcome = new LoadOutcome();
        for (long sent; (sent = Stopwatch.GetTimestamp()) < end && outcome.Errors == 0;)
        {
            try
            {
                Answer answer = await session.AskAsync(workload.Request(Interlocked.Increment(ref _next)), CancellationToken.None);
                outcome.OnAnswer(answer, Stopwatch.GetTimestamp() - sent);
            }
            catch (Exception error)
            {
                outcome.OnError(error);
            }
        }
        return outcome;
    }

    /// <summary>A thread for each session. The run begins when all of them are there: what is due at once is not late for want of threads.</summary>
    private async Task<LoadOutcome> OnThreadsAsync(Func<ISession, long, LoadOutcome> run)
    {
        long began = 0;
        using var start = new Barrier(sessions.Count, _ => began = Stopwatch.GetTimestamp());
        LoadOutcome[] outcomes = await Task.WhenAll(sessions.Select(session => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                return run(session, began);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        return Sum(began, outcomes);
    }

    private static LoadOutcome Sum(long began, LoadOutcome[] outcomes)
    {
        var all = new LoadOutcome { Elapsed = Stopwatch.GetElapsedTime(began) };
        foreach (LoadOutcome each in outcomes)
            all.Merge(each);
        return all;
    }
}

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
    public Task<LoadOutcome> ClosedAsync(TimeSpan duration)
    {
        long end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        return AllAsync(sessions.Select(session => session.Blocks
            ? OnThread(() => ClosedBlocking(session, end))
            : Task.Run(() => ClosedAsync(session, end))));
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
        long began = Stopwatch.GetTimestamp();
        int taken = -1;
        return AllAsync(sessions.Select(session => OnThread(() =>
        {
            var outcome = new LoadOutcome();
            for (int i; (i = Interlocked.Increment(ref taken)) < due.Count && outcome.Errors == 0;)
                AskWhenDue(session, began + due[i], outcome);
            return outcome;
        })));
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

    private static async Task<LoadOutcome> AllAsync(IEnumerable<Task<LoadOutcome>> parts)
    {
        long began = Stopwatch.GetTimestamp();
        LoadOutcome[] outcomes = await Task.WhenAll(parts);
        var all = new LoadOutcome { Elapsed = Stopwatch.GetElapsedTime(began) };
        foreach (LoadOutcome each in outcomes)
            all.Merge(each);
        return all;
    }

    private static Task<LoadOutcome> OnThread(Func<LoadOutcome> run) =>
        Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}

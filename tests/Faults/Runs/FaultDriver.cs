using System.Diagnostics;
using Statehouse.Faults.Injection;

namespace Statehouse.Faults.Runs;

/// <summary>What became of a planned fault.</summary>
/// <param name="Plan">As the schedule has it.</param>
/// <param name="At">When it was done, since the first fault could come.</param>
/// <param name="HealedAt">When it was undone.</param>
/// <param name="What">What was done, to whom; or why it was not.</param>
/// <param name="IsDone">Whether it was done.</param>
public sealed record DoneFault(PlannedFault Plan, TimeSpan At, TimeSpan HealedAt, string What, bool IsDone);

/// <summary>Does what a schedule says, when it says so.</summary>
/// <param name="faults">By name.</param>
/// <param name="tell">Is told of each in one line.</param>
internal sealed class FaultDriver(IReadOnlyList<IFault> faults, Action<string> tell)
{
    /// <summary>They take away what a server waits for: itself, its database, its network, its disk.</summary>
    private static readonly string[] Hampering =
        ["stop-server", "kill-postgres", "restart-postgres", "terminate-backends", "exhaust-connections", "slow-network", "cut-network", "disk-full"];

    private readonly Dictionary<string, Lane> _lanes = faults.ToDictionary(fault => fault.Name, fault => new Lane(fault));
    private readonly List<DoneFault> _done = [];
    private long _began;

    /// <summary>In the order of the schedule.</summary>
    public IReadOnlyList<DoneFault> Done
    {
        get
        {
            lock (_done)
                return [.. _done.OrderBy(fault => fault.Plan.Number)];
        }
    }

    /// <summary>Whether a fault of which a server may hang was on at any time between two of the stopwatch's timestamps.</summary>
    public bool WasHampered(long from, long to) => Done.Any(fault =>
        fault.IsDone && Hampering.Contains(fault.Plan.Fault)
        && Stopwatch.GetElapsedTime(_began, to) > fault.At && Stopwatch.GetElapsedTime(_began, from) < fault.HealedAt);

    /// <summary>Returns when all are undone; the latest soon after the cancellation.</summary>
    public async Task RunAsync(IReadOnlyList<PlannedFault> schedule, CancellationToken ending)
    {
        _began = Stopwatch.GetTimestamp();
        await Task.WhenAll(schedule.Select(plan => DoAsync(plan, ending)));
    }

    private TimeSpan Now => Stopwatch.GetElapsedTime(_began);

    private async Task DoAsync(PlannedFault plan, CancellationToken ending)
    {
        if (!await PauseAsync(plan.At - Now, ending))
            return;
        Lane lane = _lanes[plan.Fault];
        if (lane.Fault.Unavailable is { } reason)
        {
            Note(plan, Now, $"not done: {reason}", isDone: false);
            return;
        }
        // One that takes longer than was planned holds up its next.
        await lane.Turn.WaitAsync(CancellationToken.None);
        try
        {
            if (!ending.IsCancellationRequested)
                await InjectAndHealAsync(plan, lane.Fault, ending);
        }
        finally
        {
            lane.Turn.Release();
        }
    }

    private async Task InjectAndHealAsync(PlannedFault plan, IFault fault, CancellationToken ending)
    {
        TimeSpan at = Now;
        string what;
        bool isDone = true;
        try
        {
            what = await fault.InjectAsync(new Random(plan.Seed), ending);
        }
        catch (Exception error)
        {
            // Another fault may be in the way, a PostgreSQL that is down for instance: the report says so, and the run goes on.
            (what, isDone) = ($"could not be done: {error.Message}", false);
        }
        tell($"{plan.Fault}: {what}");
        await PauseAsync(plan.Lasts, ending);
        await fault.HealAsync(CancellationToken.None);
        Note(plan, at, what, isDone);
    }

    private void Note(PlannedFault plan, TimeSpan at, string what, bool isDone)
    {
        lock (_done)
            _done.Add(new DoneFault(plan, at, Now, what, isDone));
    }

    /// <returns>Whether the time is over, and not the run.</returns>
    private static async Task<bool> PauseAsync(TimeSpan time, CancellationToken ending)
    {
        if (time > TimeSpan.Zero)
            await Task.Delay(time, ending).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return !ending.IsCancellationRequested;
    }

    private sealed record Lane(IFault Fault)
    {
        public SemaphoreSlim Turn { get; } = new(1);
    }
}

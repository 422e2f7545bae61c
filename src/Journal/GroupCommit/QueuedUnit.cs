using System.Diagnostics;

namespace Statehouse.Journal.GroupCommit;

/// <summary>A unit in a lane's queue, with whoever waits for it.</summary>
internal sealed class QueuedUnit
{
    private readonly long _queuedAt = Stopwatch.GetTimestamp();
    private bool _told;

    public QueuedUnit(AppendUnit unit, IAppendObserver observer)
    {
        Unit = unit;
        Observer = observer;
        // By index: an interface's enumerator is an object.
        for (int r = 0; r < unit.Runs.Count; r++)
        {
            AppendRun run = unit.Runs[r];
            CommitCount += run.Commits.Count;
            for (int i = 0; i < run.Commits.Count; i++)
                Bytes += run.Commits[i].Bytes;
        }
    }

    public AppendUnit Unit { get; }

    public IAppendObserver Observer { get; }

    public int CommitCount { get; }

    public long Bytes { get; }

    /// <summary>The one run of a unit over one agent; null for a unit over several.</summary>
    public AppendRun? SingleRun => Unit.Runs.Count == 1 ? Unit.Runs[0] : null;

    public void Acknowledge()
    {
        _told = true;
        JournalMetrics.AppendDuration.Record(JournalMetrics.SecondsSince(_queuedAt));
        Unit.Outcome = AppendOutcome.Appended;
        Observer.OnAppended(Unit);
    }

    /// <summary>Passes a unit over that was already told: an outcome is final.</summary>
    public void Refuse(StatehouseException reason)
    {
        if (_told)
            return;
        _told = true;
        JournalMetrics.CountFailure(reason.Code);
        Observer.OnFailed(Unit, reason);
    }
}

using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>How a queued commit ended.</summary>
internal enum AppendEnd : byte
{
    /// <summary>Durable, and the agent shows it.</summary>
    Shown,

    /// <summary>Durable, but the agent was reloading meanwhile: it must catch up before the caller is answered.</summary>
    DurableUnseen,

    /// <summary>Another writer was first. Nothing was written.</summary>
    Conflict,

    /// <summary>Not acknowledged: <see cref="PendingCommit.Reason"/> says whether it may be there all the same.</summary>
    Failed,
}

/// <summary>A commit that is decided and queued, not yet acknowledged.</summary>
internal sealed class PendingCommit : IAppendObserver
{
    private readonly ResidentAgent _agent;
    private readonly TaskCompletionSource<AppendEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PendingCommit(
        ResidentAgent agent, JournalHandle handle, Commit commit, JournalCommit append, AgentState before, AgentState after, long epoch)
    {
        _agent = agent;
        Commit = commit;
        After = after;
        Epoch = epoch;
        Unit = new AppendUnit([new AppendRun(handle, before.Version, before.Hash, [append])]);
    }

    public Commit Commit { get; }

    /// <summary>The state to show when this commit is durable.</summary>
    public AgentState After { get; }

    /// <summary>Which run of decisions it belongs to; all of one epoch rest on each other.</summary>
    public long Epoch { get; }

    public AppendUnit Unit { get; }

    public Task<AppendEnd> Ended => _ended.Task;

    public StatehouseException? Reason { get; private set; }

    public void OnAppended(AppendUnit unit)
    {
        Commit.Stamp.Assign(unit.Runs[0].CommitTs[0]);
        _ended.TrySetResult(_agent.Show(this) ? AppendEnd.Shown : AppendEnd.DurableUnseen);
    }

    public void OnFailed(AppendUnit unit, StatehouseException reason)
    {
        Reason = reason;
        _agent.GiveUp(this);
        _ended.TrySetResult(reason is StateConflictException ? AppendEnd.Conflict : AppendEnd.Failed);
    }
}

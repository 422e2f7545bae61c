using System.Threading.Tasks.Sources;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>How a queued commit ended.</summary>
internal enum AppendEnd
{
    /// <summary>It has not ended.</summary>
    None = 0,

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
/// <remarks>
/// It is itself what its caller awaits: nothing else is allocated to wait for nearly all commits. It is never used again for
/// another commit, so it does not matter who still holds it.
/// </remarks>
internal sealed class PendingCommit : IAppendObserver, IValueTaskSource<AppendEnd>
{
    private readonly ResidentAgent _agent;
    private ManualResetValueTaskSourceCore<AppendEnd> _answer = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _patience;
    private TaskCompletionSource<AppendEnd>? _others;
    private volatile AppendEnd _end;
    private bool _isAnswered;

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

    public StatehouseException? Reason { get; private set; }

    /// <summary>For whoever asked for this commit, and awaits it at once, and once.</summary>
    /// <exception cref="OperationCanceledException">The caller waits no longer; the commit goes on.</exception>
    public ValueTask<AppendEnd> WaitAsync(CancellationToken cancellationToken)
    {
        _patience = cancellationToken.UnsafeRegister(static (pending, token) => ((PendingCommit)pending!).GiveUp(token), this);
        return new ValueTask<AppendEnd>(this, _answer.Version);
    }

    /// <summary>For any number of others, whose own commits or answers rest on this one.</summary>
    public Task<AppendEnd> EndedAsync()
    {
        TaskCompletionSource<AppendEnd> fresh = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<AppendEnd> others = Interlocked.CompareExchange(ref _others, fresh, null) ?? fresh;
        // It looks after it has said so, as End does the other way round: one of the two sees the other.
        if (_end is not AppendEnd.None and var end)
            others.TrySetResult(end);
        return others.Task;
    }

    public void OnAppended(AppendUnit unit)
    {
        Commit.Stamp.Assign(unit.Runs[0].CommitTs[0]);
        End(_agent.Show(this) ? AppendEnd.Shown : AppendEnd.DurableUnseen);
    }

    public void OnFailed(AppendUnit unit, StatehouseException reason)
    {
        Reason = reason;
        _agent.GiveUp(this);
        End(reason is StateConflictException ? AppendEnd.Conflict : AppendEnd.Failed);
    }

    AppendEnd IValueTaskSource<AppendEnd>.GetResult(short token)
    {
        _patience.Unregister();
        return _answer.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<AppendEnd>.GetStatus(short token) => _answer.GetStatus(token);

    void IValueTaskSource<AppendEnd>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _answer.OnCompleted(continuation, state, token, flags);

    private void End(AppendEnd end)
    {
        Interlocked.Exchange(ref _end, end);
        _others?.TrySetResult(end);
        if (!Interlocked.Exchange(ref _isAnswered, true))
            _answer.SetResult(end);
    }

    private void GiveUp(CancellationToken cancellationToken)
    {
        if (!Interlocked.Exchange(ref _isAnswered, true))
            _answer.SetException(new OperationCanceledException(cancellationToken));
    }
}

using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>
/// One agent in the memory of one process. Holds two states: the <i>confirmed</i> one is durable and is all that
/// anybody is shown (I10); the <i>tentative</i> one is confirmed plus what is queued, and is all that is decided on,
/// so that a hot agent does not wait a disk round trip per commit.
/// </summary>
/// <remarks>
/// Invariants, under <c>_lock</c>: the queue holds the commits between confirmed and tentative, in order, all of one
/// epoch. The first failure ends the epoch: tentative falls back to confirmed, and nothing is decided again before
/// the journal was asked where the agent stands. Commits of an ended epoch may still turn out durable (their
/// predecessor's reply was lost, its rows were not): they are caught up with like another process's.
/// Source: docs/decisions/0005-pipelining-and-late-commit-ts.md.
/// </remarks>
public sealed partial class ResidentAgent
{
    private readonly Lock _lock = new();
    private readonly AgentHosting _hosting;
    private readonly IAppendQueue _appends;
    private readonly JournalHandle _handle;
    private readonly TurnGate _turns = new();
    private readonly Queue<PendingCommit> _pending = new();

    // The last of the queue. Not kept when the queue is empty: with it the agent would keep all that made its last commit.
    private PendingCommit? _newestPending;

    private volatile AgentState? _confirmed;
    private AgentState? _tentative;
    private volatile InvariantBrokenException? _broken;
    private volatile TaskCompletionSource? _reveal;
    private volatile Task? _together;
    private Task? _catchUp;
    private long _epoch;
    private long _catchUpsWanted = 1;
    private long _catchUpsDone;
    private long _decideAfterCatchUp = 1;
    private bool _evicted;
    private long _lastUsed;

    /// <param name="hosting">What it shares with the other agents of this process.</param>
    /// <param name="agent">Which agent.</param>
    /// <param name="appends">Takes its commits, in the order in which they are decided.</param>
    public ResidentAgent(AgentHosting hosting, AgentId agent, IAppendQueue appends)
    {
        _hosting = hosting;
        _appends = appends;
        _handle = new JournalHandle(agent);
        Touch();
        _arrived = LastUsed;
    }

    public AgentId Agent => _handle.Agent;

    public JournalHandle Handle => _handle;

    /// <summary>What everybody may see; null until it was loaded.</summary>
    public AgentState? Confirmed => _confirmed;

    /// <summary>When it was last used, by the clock's timestamp.</summary>
    public long LastUsed => Volatile.Read(ref _lastUsed);

    public void Touch() => Volatile.Write(ref _lastUsed, _hosting.Clock.GetTimestamp());

    /// <summary>Loads the agent on first use; afterwards costs nothing.</summary>
    public ValueTask<AgentState> ConfirmedAsync(CancellationToken cancellationToken)
    {
        if (TryGetConfirmed() is { } state)
            return new ValueTask<AgentState>(state);
        return _broken is { } broken ? ValueTask.FromException<AgentState>(broken) : AwaitConfirmedAsync(cancellationToken);
    }

    /// <summary>What everybody may see, where that needs no waiting.</summary>
    private AgentState? TryGetConfirmed()
    {
        Touch();
        return _broken is null && _reveal is null && !IsInDoubt() ? _confirmed : null;
    }

    /// <summary>Asks the journal where the agent stands, and takes in what others appended.</summary>
    public async Task<AgentState> RefreshAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            _catchUpsWanted++;
        await CatchUpAsync(cancellationToken).ConfigureAwait(false);
        while (_reveal is { } reveal)
            await reveal.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        return _broken is null ? _confirmed! : throw _broken;
    }

    /// <summary>
    /// Leaves memory, unless something still needs it: a queued commit, a turn, a follower. An evicted agent takes no
    /// more commits; whoever holds it asks for the agent again.
    /// </summary>
    public bool TryEvict()
    {
        lock (_lock)
        {
            if (_pending.Count > 0 || _followers > 0 || _together is not null || _reveal is not null || _catchUp is { IsCompleted: false } || !_turns.TryEnterShared())
                return false;
            _evicted = true;
            _turns.ExitShared();
            return true;
        }
    }

    private async ValueTask<AgentState> AwaitConfirmedAsync(CancellationToken cancellationToken)
    {
        while (_reveal is { } reveal)
            await reveal.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (IsInDoubt())
            return await ReadInDoubtAsync(cancellationToken).ConfigureAwait(false);
        if (_confirmed is null)
            await CatchUpAsync(cancellationToken).ConfigureAwait(false);
        return _confirmed!;
    }

    /// <summary>Returns when every catch-up that was wanted before the call is done; one runs at a time, for all who wait.</summary>
    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        long wanted;
        lock (_lock)
            wanted = _catchUpsWanted;
        while (true)
        {
            Task running;
            lock (_lock)
            {
                if (_catchUpsDone >= wanted)
                    return;
                if (_catchUp is null || _catchUp.IsCompleted)
                    _catchUp = StartCatchUp();
                running = _catchUp;
            }
            await running.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Runs a catch-up of its own. Many callers may wait for it, so none of them may run on its back: one that goes on
    /// for long would keep the others waiting.
    /// </summary>
    private Task StartCatchUp()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Task.Run(CatchUpOnceAsync, CancellationToken.None).ContinueWith(
            once => ended.TrySetFromTask(once), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return ended.Task;
    }

    private async Task CatchUpOnceAsync()
    {
        // A transaction over several agents shows itself on all of them at once; nobody may see it here before.
        while (_together is { } together)
            await together.ConfigureAwait(false);
        long wanted;
        lock (_lock)
            wanted = _catchUpsWanted;
        try
        {
            AgentState? known = _confirmed;
            TakeOver(known, await ReadJournalAsync(known).ConfigureAwait(false), wanted);
        }
        catch (InvariantBrokenException broken)
        {
            _hosting.Log.Write(OperatorLogLevel.Error, $"Agent {Agent} stops serving: its journal contradicts an invariant.", broken);
            _broken = broken;
            throw;
        }
    }

    private async Task<AgentState> ReadJournalAsync(AgentState? known)
    {
        JournalHead? head = await _hosting.Store.ReadHeadAsync(_handle, CancellationToken.None).ConfigureAwait(false);
        if (head is null)
            return known is null or { Version.Value: 0 } ? AgentState.Empty(Agent) : WentBack(known, AgentState.Empty(Agent));
        if (known is not null && head.Version == known.Version && head.Hash == known.Hash)
            return known;
        bool wasTrimmed = false;
        if (known is not null && head.Version > known.Version)
        {
            (AgentState? followed, wasTrimmed) = await TryFollowAsync(known, head).ConfigureAwait(false);
            if (followed is not null)
                return followed;
        }

        LoadedState loaded = await _hosting.Loader.LoadAsync(_handle, head.Version, CancellationToken.None).ConfigureAwait(false);
        AgentsMetrics.Loads.Add(1);
        AgentsMetrics.LoadTailBytes.Record(loaded.TailBytes);
        lock (_lock)
        {
            _snapshotBytes = loaded.SnapshotBytes;
            _tailBytes = loaded.TailBytes;
        }
        return known is null || wasTrimmed ? loaded.State : WentBack(known, loaded.State);
    }

    /// <summary>Folds the commits after the known state; null where they do not chain on it, or are not all kept any more.</summary>
    private async Task<(AgentState? State, bool WasTrimmed)> TryFollowAsync(AgentState known, JournalHead head)
    {
        try
        {
            (AgentState state, long bytes) = await _hosting.Loader.FoldAsync(_handle, known, head.Version, CancellationToken.None).ConfigureAwait(false);
            lock (_lock)
                _tailBytes += bytes;
            return (state, false);
        }
        catch (HistoryTrimmedException)
        {
            // Others wrote so much meanwhile that a snapshot has taken the place of what is missing here.
            return (null, true);
        }
        catch (InvariantBrokenException error)
        {
            _hosting.Log.Write(OperatorLogLevel.Warning, $"What was appended to agent {Agent} does not follow what this process knew; it is loaded afresh.", error);
            return (null, false);
        }
    }

    private AgentState WentBack(AgentState known, AgentState loaded)
    {
        // Executions are removed when they are old, and another one may have the id of one that was.
        if (Agent.Kind != AgentKind.Agent)
            return loaded;
        _hosting.Log.Write(
            OperatorLogLevel.Error,
            $"The journal of agent {Agent} was at version {known.Version} and now ends at {loaded.Version} with another hash: " +
            "was the database restored under a running server? What this process knew is dropped.");
        return loaded;
    }

    private void TakeOver(AgentState? known, AgentState caughtUp, long wanted)
    {
        lock (_lock)
        {
            if (_together is not null)
                return;
            // Commits may have been shown while the journal was read: never step back over them. Where none was, the
            // journal is right, whatever this process thought it knew.
            if (ReferenceEquals(_confirmed, known) || caughtUp.Version > _confirmed!.Version)
                _confirmed = caughtUp;
            if (_pending.Count == 0)
                _tentative = _confirmed;
            _catchUpsDone = Math.Max(_catchUpsDone, wanted);
            ScheduleSnapshotNeedsLock();
        }
        SignalFollowers();
    }
}

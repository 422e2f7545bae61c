using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <content>Deciding and committing.</content>
public sealed partial class ResidentAgent
{
    /// <summary>Decides and queues at once. Default where that must wait for something, or the agent left memory.</summary>
    internal Proposal TryPropose(CommitRequest request)
    {
        Touch();
        if (_broken is not null || !_turns.TryEnterShared())
            return default;
        try
        {
            lock (_lock)
                return !_evicted && _catchUpsDone >= _decideAfterCatchUp ? TryProposeNeedsLock(request, NewTxnId(request)) ?? default : default;
        }
        finally
        {
            _turns.ExitShared();
        }
    }

    /// <summary>Commits, or says why not; null where this agent left memory and must be asked for again.</summary>
    /// <param name="request">What to commit.</param>
    /// <param name="proposal">What <see cref="TryPropose"/> made of it, where that is not simply shown by now.</param>
    /// <param name="cancellationToken">The caller waits no longer.</param>
    internal async ValueTask<CommitReceipt?> TryCommitAsync(CommitRequest request, Proposal proposal, CancellationToken cancellationToken)
    {
        Touch();
        Guid txnId = proposal.Pending?.Commit.TxnId ?? NewTxnId(request);
        var oldestBasis = new AgentVersion(long.MaxValue);
        bool hasAskedJournal = false;
        for (int attempt = 1; ; attempt++)
        {
            if (!proposal.IsMade)
                proposal = await ProposeAsync(request, txnId, cancellationToken).ConfigureAwait(false);
            if (proposal.Evicted)
                return null;
            CommitReceipt? receipt;
            if (proposal.Pending is { } pending)
            {
                // A later attempt may stand on an older version: what the first one rested on may never have come to be.
                AgentVersion basis = pending.Unit.Runs[0].ExpectedVersion;
                oldestBasis = basis < oldestBasis ? basis : oldestBasis;
                AppendEnd end = await pending.EndedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
                receipt = end == AppendEnd.Shown
                    ? pending.Commit.ToReceipt()
                    : await SettleAsync(pending, end, oldestBasis, cancellationToken).ConfigureAwait(false);
            }
            else if (proposal.Decision.Refusal is not null && !hasAskedJournal && IsInDoubt())
            {
                // A commit meets the fence; a refusal would rest on what may no longer be so.
                hasAskedJournal = true;
                await RefreshAsync(cancellationToken).ConfigureAwait(false);
                proposal = default;
                continue;
            }
            else
            {
                receipt = await AnswerAsync(proposal, cancellationToken).ConfigureAwait(false);
            }
            if (receipt is not null)
                return receipt;
            if (attempt >= _hosting.Options.DecideAttemptsMax)
                throw new StateConflictException($"Agent {Agent} is written by another process so busily that {attempt} attempts to append all came second. Nothing was written.");
            proposal = default;
        }
    }

    /// <summary>Shows a commit that is durable now. False where its epoch has ended: then the agent must catch up first.</summary>
    internal bool Show(PendingCommit pending)
    {
        lock (_lock)
        {
            if (pending.Epoch != _epoch)
            {
                _decideAfterCatchUp = ++_catchUpsWanted;
                return false;
            }
            _pending.Dequeue();
            if (_pending.Count == 0)
                _newestPending = null;
            if (pending.After.Version > _confirmed!.Version)
                ShowNeedsLock(pending.After, pending.Commit);
        }
        _hosting.FeedSignal.Advance(pending.Commit.Stamp.CommitTs);
        SignalFollowers();
        return true;
    }

    /// <summary>Ends the epoch of a commit that was not acknowledged, and of all that was decided on top of it.</summary>
    internal void GiveUp(PendingCommit pending)
    {
        lock (_lock)
        {
            if (pending.Epoch == _epoch)
                EndEpochNeedsLock();
            else if (pending.Reason is JournalOutcomeUnknownException)
                _decideAfterCatchUp = ++_catchUpsWanted;
            if (pending.Reason is JournalOutcomeUnknownException)
                BeginDoubtNeedsLock();
        }
    }

    private void EndEpochNeedsLock()
    {
        _epoch++;
        _pending.Clear();
        _newestPending = null;
        _tentative = _confirmed;
        _decideAfterCatchUp = ++_catchUpsWanted;
    }

    private void ShowNeedsLock(AgentState state, Commit commit)
    {
        _confirmed = state;
        _tailBytes += commit.Body.Length;
        RememberForFollowersNeedsLock(commit);
        ScheduleSnapshotNeedsLock();
    }

    /// <summary>Decides on the newest tentative state and queues the commit, in one step for anybody who looks.</summary>
    private async ValueTask<Proposal> ProposeAsync(CommitRequest request, Guid txnId, CancellationToken cancellationToken)
    {
        while (true)
        {
            await ReadyToDecideAsync(cancellationToken).ConfigureAwait(false);
            if (!_turns.TryEnterShared())
                await AwaitTurnAsync(exclusive: false, cancellationToken).ConfigureAwait(false);
            try
            {
                lock (_lock)
                {
                    if (_evicted)
                        return new Proposal { Evicted = true };
                    // Something may have failed since: then there is nothing to decide on yet.
                    if (_catchUpsDone < _decideAfterCatchUp)
                        continue;
                    if (TryProposeNeedsLock(request, txnId) is { } proposal)
                        return proposal;
                }
            }
            finally
            {
                _turns.ExitShared();
            }
            await _appends.WaitForRoomAsync(Agent, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>null where the journal's queue is full.</summary>
    private Proposal? TryProposeNeedsLock(CommitRequest request, Guid txnId)
    {
        AgentState basis = _tentative!;
        Decision decision = Decision.Of(basis, request, txnId, CommitTime.From(_hosting.Clock.GetUtcNow()), _hosting.Limits);
        if (decision.Commit is not { } commit)
            return new Proposal { Decision = decision, RestsOn = _newestPending };

        _hosting.Options.OnCrashPoint?.Invoke(CrashPoint.AfterDecide);
        AgentState after = basis.Apply(commit, _hosting.Limits.IdempotencyKeysMax);
        var pending = new PendingCommit(this, _handle, commit, _hosting.ToAppend(commit, after), basis, after, _epoch);
        // Its answer may come at once, on another thread: Show waits for this lock.
        if (!_appends.TryAppend(pending.Unit, pending))
            return null;
        _pending.Enqueue(pending);
        _newestPending = pending;
        _tentative = after;
        return new Proposal { Pending = pending };
    }

    /// <summary>What becomes of a commit that its agent does not simply show; null = decide again.</summary>
    private async ValueTask<CommitReceipt?> SettleAsync(
        PendingCommit pending, AppendEnd end, AgentVersion oldestBasis, CancellationToken cancellationToken)
    {
        if (end == AppendEnd.DurableUnseen)
        {
            await CatchUpAsync(cancellationToken).ConfigureAwait(false);
            return pending.Commit.ToReceipt();
        }

        if (end == AppendEnd.Conflict)
            AgentsMetrics.Conflicts.Add(1);
        if (await FindOwnAsync(pending, oldestBasis, cancellationToken).ConfigureAwait(false) is { } found)
            return Codec.CommitBodyCodec.Decode(found).ToReceipt();
        // Where another commit stands at its version, the fence keeps this one out for ever: that is a conflict, not a doubt.
        bool overtaken = pending.Reason is JournalOutcomeUnknownException && _confirmed!.Version >= pending.Commit.Version;
        return end == AppendEnd.Conflict || overtaken ? null : throw pending.Reason!;
    }

    /// <summary>
    /// A commit that was not acknowledged may be there all the same: only its reply was lost, or an earlier attempt of
    /// the same transaction came through late. The journal knows.
    /// </summary>
    private async Task<JournalCommit?> FindOwnAsync(PendingCommit pending, AgentVersion oldestBasis, CancellationToken cancellationToken)
    {
        if (pending.Reason is JournalUnavailableException)
            return null;
        try
        {
            await CatchUpAsync(cancellationToken).ConfigureAwait(false);
            return await FindTransactionAsync(oldestBasis, pending.Commit.TxnId, cancellationToken).ConfigureAwait(false);
        }
        catch (JournalUnavailableException) when (pending.Reason is JournalOutcomeUnknownException)
        {
            // The journal is away now: "outcome unknown" says more about this commit than "unavailable" would.
            return null;
        }
    }

    /// <summary>
    /// Answers what was not committed. Such an answer may rest on commits that are not durable yet; it is given only
    /// when they are (I10), and decided again where they failed: then null.
    /// </summary>
    private async ValueTask<CommitReceipt?> AnswerAsync(Proposal proposal, CancellationToken cancellationToken)
    {
        if (proposal.RestsOn is { } basis)
        {
            AppendEnd end = await basis.EndedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            if (end != AppendEnd.Shown)
                return null;
        }
        if (proposal.Decision.Refusal is { } refusal)
        {
            AgentsMetrics.CountRefusal(refusal.Code);
            throw refusal;
        }
        AgentsMetrics.Repeats.Add(1);
        return await RepeatAsync(proposal.Decision.Repeat!, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The first receipt again, with its key versions where its commit is still kept.</summary>
    private async ValueTask<CommitReceipt> RepeatAsync(RememberedCommit remembered, CancellationToken cancellationToken)
    {
        CommitReceipt receipt = remembered.ToReceipt();
        try
        {
            await foreach (JournalCommit found in _hosting.Store.ReadForwardAsync(_handle, receipt.Version, receipt.Version, cancellationToken).ConfigureAwait(false))
                return Codec.CommitBodyCodec.Decode(found).ToReceipt(replayed: true);
        }
        catch (HistoryTrimmedException)
        {
            // The commit is no longer kept; what the agent remembers of it is the answer.
        }
        return receipt;
    }

    private async ValueTask ReadyToDecideAsync(CancellationToken cancellationToken)
    {
        if (_broken is { } broken)
            throw broken;
        bool ready;
        lock (_lock)
            ready = _catchUpsDone >= _decideAfterCatchUp;
        if (!ready)
            await CatchUpAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task AwaitTurnAsync(bool exclusive, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_hosting.Options.TurnPatience);
        try
        {
            await (exclusive ? _turns.EnterExclusiveAsync(patience.Token) : _turns.EnterSharedAsync(patience.Token)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new JournalBusyException(
                $"Agent {Agent} stayed held by transactions for {_hosting.Options.TurnPatience.TotalSeconds:0.#} s; nothing was written. Try again shortly.");
        }
    }

    private Guid NewTxnId(CommitRequest request) => request.TxnId ?? TransactionIds.New(_hosting.Clock.GetUtcNow());
}

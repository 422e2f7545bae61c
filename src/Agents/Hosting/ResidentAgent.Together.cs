using System.Diagnostics;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <content>Taking part in a transaction over several agents.</content>
public sealed partial class ResidentAgent
{
    private HeldCommit? _held;

    /// <summary>
    /// Takes the agent's turn and decides: nothing of it is queued, and nothing will be until <see cref="EndHold"/>.
    /// Where it throws, nothing is held.
    /// </summary>
    /// <returns>null where the agent left memory and must be asked for again.</returns>
    /// <exception cref="StatehouseException">The refusal of this share, or a fault.</exception>
    public async Task<HeldAgent?> TryHoldAsync(HoldRequest request, CancellationToken cancellationToken)
    {
        if (!await TryTakeTurnAsync(cancellationToken).ConfigureAwait(false))
            return null;
        try
        {
            return await DecideHeldAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            _turns.ExitExclusive();
            throw;
        }
    }

    /// <summary>From here on a reader of the journal must not show what it finds before <see cref="EndHold"/>.</summary>
    public void BeginAppend()
    {
        lock (_lock)
            _together = _held?.Ended.Task;
    }

    /// <summary>From here on readers wait for <see cref="OpenReads"/>.</summary>
    public void CloseReads() => _reveal ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Shows the commit that was decided under the hold, or lets it go, and gives the turn back.</summary>
    public void EndHold(HoldEnd end)
    {
        HeldCommit? held = _held;
        _held = null;
        if (held is not null)
            End(held, end);
        _turns.ExitExclusive();
        SignalFollowers();
    }

    /// <summary>Lets readers in again.</summary>
    public void OpenReads()
    {
        TaskCompletionSource? reveal = _reveal;
        _reveal = null;
        reveal?.TrySetResult();
    }

    private void End(HeldCommit held, HoldEnd end)
    {
        lock (_lock)
        {
            switch (end.Outcome)
            {
                case HoldOutcome.NotWritten:
                    break;
                case HoldOutcome.Committed:
                    held.Commit.Stamp.Assign(end.CommitTs);
                    ShowNeedsLock(held.After, held.Commit);
                    _tentative = held.After;
                    break;
                case HoldOutcome.Stale:
                    EndEpochNeedsLock();
                    break;
                case HoldOutcome.Unknown:
                    EndEpochNeedsLock();
                    BeginDoubtNeedsLock();
                    break;
                default:
                    throw new UnreachableException($"{end.Outcome} is no outcome.");
            }
            _together = null;
        }
        held.Ended.SetResult();
    }

    /// <summary>False where the agent left memory.</summary>
    private async Task<bool> TryTakeTurnAsync(CancellationToken cancellationToken)
    {
        Touch();
        await AwaitTurnAsync(exclusive: true, cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                await ReadyToDecideAsync(cancellationToken).ConfigureAwait(false);
                Task? draining;
                lock (_lock)
                {
                    if (_evicted)
                        break;
                    draining = _newestPending?.EndedAsync();
                    if (draining is null && _catchUpsDone >= _decideAfterCatchUp)
                        return true;
                }
                if (draining is not null)
                    await draining.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            _turns.ExitExclusive();
            throw;
        }
        _turns.ExitExclusive();
        return false;
    }

    /// <summary>Everything that a held agent knows is durable, and nobody here can change it.</summary>
    private async Task<HeldAgent> DecideHeldAsync(HoldRequest request, CancellationToken cancellationToken)
    {
        // Another process can change what is only read; what happens between this look and the append goes unseen. What
        // is written meets the fence, but a refusal or a repeat that is decided in doubt would not.
        if ((request.Commit.IsReadOnly && _hosting.Store.IsShared) || IsInDoubt())
            await RefreshAsync(cancellationToken).ConfigureAwait(false);
        AgentState basis = _confirmed!;
        if (request.TriedAfter is { } after && await FindTransactionAsync(after, request.TxnId, cancellationToken).ConfigureAwait(false) is { } earlier)
            return Held(basis, null, CommitBodyCodec.Decode(earlier).ToReceipt());
        if (request.Commit.IsReadOnly)
        {
            ThrowIfRefused(Decision.StaleRead(basis, request.Commit));
            return Held(basis, null, null);
        }

        Decision decision = Decision.Of(basis, request.Commit, request.TxnId, CommitTime.From(_hosting.Clock.GetUtcNow()), _hosting.Limits);
        ThrowIfRefused(decision.Refusal);
        if (decision.Commit is not { } commit)
            return Held(basis, null, decision.Repeat!.ToReceipt());
        _hosting.Options.OnCrashPoint?.Invoke(CrashPoint.AfterDecide);
        AgentState shown = basis.Apply(commit, _hosting.Limits.IdempotencyKeysMax);
        JournalCommit append = _hosting.ToAppend(commit, shown);
        _held = new HeldCommit(commit, shown);
        return Held(basis, append, null);
    }

    private HeldAgent Held(AgentState basis, JournalCommit? commit, CommitReceipt? repeat) =>
        new(basis.Version, basis.Hash, _handle.StoreKey, commit, repeat);

    private static void ThrowIfRefused(StatehouseException? refusal)
    {
        if (refusal is null)
            return;
        AgentsMetrics.CountRefusal(refusal.Code);
        throw refusal;
    }

    /// <summary>What was decided under a hold.</summary>
    private sealed record HeldCommit(Commit Commit, AgentState After)
    {
        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

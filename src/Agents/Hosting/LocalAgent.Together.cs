using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <content>Taking part in a transaction over several agents.</content>
internal sealed partial class LocalAgent
{
    /// <summary>
    /// Takes the agent's turn: nothing of it is queued, and nothing will be until <see cref="Release"/>.
    /// False where the agent left memory and must be asked for again.
    /// </summary>
    public async Task<bool> TryHoldAsync(CancellationToken cancellationToken)
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
                    draining = LastPendingNeedsLock()?.Ended;
                    if (draining is null && _catchUpsDone >= _decideAfterCatchUp)
                        return true;
                }
                if (draining is not null)
                    await draining.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            Release();
            throw;
        }
        Release();
        return false;
    }

    public void Release() => _turns.ExitExclusive();

    /// <summary>Decides on a held agent: everything it knows is durable.</summary>
    public (Decision Decision, AgentState Basis) DecideHeld(CommitRequest request, Guid txnId)
    {
        lock (_lock)
        {
            AgentState basis = _confirmed!;
            return (Decision.Of(basis, request, txnId, CommitTime.From(_context.Clock.GetUtcNow()), _context.Limits), basis);
        }
    }

    /// <summary>From here on a reader of the journal must not show what it finds before <see cref="EndTogether"/>.</summary>
    public void BeginTogether(Task ended)
    {
        lock (_lock)
            _together = ended;
    }

    /// <summary>From here on readers wait for <paramref name="revealed"/>: they see all agents' commits, or none.</summary>
    public void BeginReveal(Task revealed) => _reveal = revealed;

    public void ShowHeld(AgentState after, Commit commit)
    {
        lock (_lock)
        {
            ShowNeedsLock(after, commit);
            _tentative = after;
        }
    }

    public void EndReveal() => _reveal = null;

    /// <param name="shown">False: the journal must be asked before the next decision.</param>
    public void EndTogether(bool shown)
    {
        lock (_lock)
        {
            _together = null;
            if (!shown)
                EndEpochNeedsLock();
        }
        SignalFollowers();
    }

    /// <summary>What stands at a commit's version in the journal; null = nothing yet.</summary>
    public async Task<JournalCommit?> ReadAsync(AgentVersion version)
    {
        await foreach (JournalCommit found in _context.Store.ReadForwardAsync(_handle, version, version, CancellationToken.None).ConfigureAwait(false))
            return found;
        return null;
    }
}

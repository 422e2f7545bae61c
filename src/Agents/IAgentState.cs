using Statehouse.Journal;

namespace Statehouse.Agents;

/// <summary>
/// One agent, wherever it lives: the contract that every front end speaks and every host (one process, a cluster of
/// grains) provides. Free of any host's types. <c>AgentStateConformance</c> is this contract in executable form.
/// </summary>
/// <remarks>
/// All members may be called at once. Refusals are <see cref="RefusedException"/> and
/// <see cref="StateConflictException"/>; faults are the Journal's exceptions. A commit body on the wire is
/// <see cref="JournalCommit.Canonical"/> as it stands: a JSON object with <c>operations</c>, <c>idempotency_key</c>?,
/// <c>metadata</c>?.
/// </remarks>
public interface IAgentState
{
    /// <exception cref="RefusedException">SH-1007. The agent has no commit.</exception>
    ValueTask<AgentHead> GetHeadAsync(Consistency consistency, CancellationToken cancellationToken);

    /// <returns>Also for a key or agent that never was (<see cref="KeyState.Exists"/> = false).</returns>
    /// <exception cref="RefusedException">SH-1003: a moment in the future; SH-1007: a version above the head; SH-1008: trimmed.</exception>
    ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken);

    /// <exception cref="RefusedException">As <see cref="GetAsync"/>.</exception>
    ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken);

    /// <summary>Commits all operations or none; returns when they are durable.</summary>
    /// <exception cref="StateConflictException">SH-1001. A precondition does not hold.</exception>
    /// <exception cref="RefusedException">SH-1002, SH-1003, SH-1004.</exception>
    /// <exception cref="JournalOutcomeUnknownException">SH-2002. Repeat with the same idempotency key, or read.</exception>
    ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken);

    /// <exception cref="RefusedException">SH-1007: the agent has no commit; SH-1008: all of the range was trimmed.</exception>
    ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken);

    /// <exception cref="RefusedException">SH-1007: no such agent or version; SH-1008: trimmed.</exception>
    ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken);

    /// <summary>
    /// Commits from <paramref name="from"/> in order, each once. Ends at the head of the moment it was called, or, when
    /// following, goes on with each new commit until cancelled. Also for an agent that has no commit yet.
    /// </summary>
    /// <exception cref="HistoryTrimmedException">SH-1008. <paramref name="from"/> is no longer kept.</exception>
    IAsyncEnumerable<JournalCommit> ReplayAsync(AgentVersion from, bool follow, CancellationToken cancellationToken);

    /// <summary>As <see cref="ReplayAsync"/> for the commits whose commit_ts lies in the inclusive range, without following.</summary>
    IAsyncEnumerable<JournalCommit> ReplayRangeAsync(CommitTs from, CommitTs to, CancellationToken cancellationToken);
}

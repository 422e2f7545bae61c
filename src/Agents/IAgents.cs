using System.Collections.Immutable;
using Statehouse.Journal;

namespace Statehouse.Agents;

/// <summary>All agents of a store: the one thing that a gateway is given. It cannot tell one process from a cluster.</summary>
public interface IAgents
{
    /// <summary>The agent, whether it has commits or not. Cheap; nothing is loaded until it is used.</summary>
    /// <exception cref="RefusedException">SH-1003 or SH-1004: the namespace or agent id is empty, too long, or holds NUL.</exception>
    IAgentState Get(AgentId agent);

    /// <summary>Agents of a namespace that have commits, in byte order of their ids.</summary>
    /// <param name="namespace">Exactly this one.</param>
    /// <param name="prefix">Ids that start with it; empty = all.</param>
    /// <param name="afterExclusive">Ids after this one; null = from the first.</param>
    /// <param name="limit">1..1,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<AgentPage> ListAsync(
        string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken);

    /// <summary>Commits on several agents, all or none, under one commit_ts; no reader sees some of them (I2).</summary>
    /// <param name="commits">
    /// No agent twice. Where one carries an idempotency key, all carry the same. One without operations but with
    /// <see cref="CommitRequest.Reads"/> is only checked: the others commit only while its reads still hold.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting for a turn; a started append is always waited for.</param>
    /// <returns>Receipts in the order of <paramref name="commits"/>, leaving out those without operations.</returns>
    /// <exception cref="StateConflictException">SH-1001, with the agent in its details.</exception>
    ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken);

    /// <summary>A page of all agents' commits in commit_ts order, without their details; never splits a transaction.</summary>
    ValueTask<FeedPage> ReadFeedAsync(
        CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken);

    /// <summary>Waits until the feed may hold something after <paramref name="afterExclusive"/>, or a bound of about a second is over.</summary>
    ValueTask WaitForFeedAsync(CommitTs afterExclusive, CancellationToken cancellationToken);

    /// <summary>Asks the journal whether it could write now.</summary>
    /// <exception cref="JournalUnavailableException">SH-2001.</exception>
    ValueTask PingAsync(CancellationToken cancellationToken);
}

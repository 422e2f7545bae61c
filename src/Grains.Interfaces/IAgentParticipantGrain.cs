using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// One agent's share in a transaction over several agents, as its coordinator sees it. The grain behind
/// <see cref="IAgentStateGrain"/> implements it too, under the same key. Between silos only: no front end calls it.
/// </summary>
/// <remarks>
/// A coordinator holds the agents in the order of their identities (so two coordinators cannot wait for each other),
/// appends all their commits as one unit to the journal, and then ends each hold. The journal is the truth: a
/// participant whose hold is not ended within its lease looks there for the transaction before it serves again.
/// For the names on the wire the remarks of <see cref="IAgentStateGrain"/> hold here as well.
/// </remarks>
[Alias("statehouse.participant")]
public interface IAgentParticipantGrain : IGrainWithStringKey
{
    /// <summary>
    /// Waits for the agent's turn, decides on the commit, and keeps the turn until <see cref="EndAsync"/> or the end of
    /// the lease: no other commit of the agent is decided meanwhile. Nothing is written.
    /// </summary>
    /// <exception cref="StateConflictException">SH-1001. A precondition or a read does not hold; the turn was given back.</exception>
    /// <exception cref="RefusedException">SH-1002, SH-1003, SH-1004; the turn was given back.</exception>
    /// <exception cref="JournalBusyException">SH-2003. The turn did not come in time.</exception>
    [Alias("Hold")]
    ValueTask<HeldAgent> HoldAsync(HoldRequest request, CancellationToken cancellationToken);

    /// <summary>Says how the transaction ended and gives the turn back. A transaction that holds nothing (any more) is fine.</summary>
    [Alias("End")]
    ValueTask EndAsync(Guid txnId, HoldEnd end, CancellationToken cancellationToken);

    /// <summary>Looks in this agent's journal for the commit of a transaction whose outcome is unknown.</summary>
    /// <param name="txnId">The transaction's id.</param>
    /// <param name="afterExclusive">Where the agent stood when the transaction was decided.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null where the journal holds no such commit after that version.</returns>
    /// <exception cref="JournalUnavailableException">SH-2001. Still unknown.</exception>
    [Alias("FindTransaction")]
    ValueTask<JournalCommit?> FindTransactionAsync(Guid txnId, AgentVersion afterExclusive, CancellationToken cancellationToken);

    /// <summary>Returns when this grain shows at least that version: it reads on in the journal where it has to.</summary>
    /// <exception cref="JournalUnavailableException">SH-2001.</exception>
    [Alias("CatchUp")]
    ValueTask CatchUpAsync(AgentVersion atLeast, CancellationToken cancellationToken);
}

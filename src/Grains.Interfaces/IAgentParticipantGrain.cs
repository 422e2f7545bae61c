using Statehouse.Agents;
using Statehouse.Agents.Hosting;
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

    /// <summary>
    /// Says how the transaction ended and gives the turn back: the one that this hold has, or still waits for. A hold that
    /// is not there (any more) is fine.
    /// </summary>
    /// <param name="holdId">As the request named it.</param>
    /// <param name="end">What is known.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    [Alias("End")]
    ValueTask EndAsync(Guid holdId, HoldEnd end, CancellationToken cancellationToken);
}

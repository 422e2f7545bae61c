using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>Commits on several agents, all or none (I2): a stateless worker that coordinates their grains.</summary>
/// <remarks>The key has no meaning. For the names on the wire the remarks of <see cref="IAgentStateGrain"/> hold here as well.</remarks>
[Alias("statehouse.transactions")]
public interface ITransactionGrain : IGrainWithIntegerKey
{
    /// <summary>As <see cref="IAgents.CommitTogetherAsync"/>, which says what it takes and returns.</summary>
    /// <exception cref="StateConflictException">SH-1001, with the agent in its details. Nothing was written.</exception>
    /// <exception cref="RefusedException">SH-1002, SH-1003, SH-1004. Nothing was written.</exception>
    /// <exception cref="JournalOutcomeUnknownException">SH-2002. Repeat with the same idempotency key, or read.</exception>
    [Alias("CommitTogether")]
    ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken);
}

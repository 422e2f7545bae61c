using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>A coordinator asks an agent to decide on its share of a transaction and to keep its turn.</summary>
/// <param name="TxnId">The transaction's id: of all its commits.</param>
/// <param name="Commit">The agent's share; without operations only its reads are checked.</param>
/// <param name="Lease">How long the turn may be kept without hearing of the end; more than zero.</param>
public sealed record HoldRequest(Guid TxnId, CommitRequest Commit, TimeSpan Lease);

/// <summary>What an agent that keeps its turn for a transaction has decided.</summary>
/// <param name="Version">Where the agent stands; the commit is decided on it.</param>
/// <param name="Hash">At that version: what the commit chains on; <see cref="CommitHash.Genesis"/> where it is 0.</param>
/// <param name="Commit">What to append, its commit_ts not set yet; null where only reads are checked, or for a repeat.</param>
/// <param name="Repeat">The first receipt, where the idempotency key was seen before; else null.</param>
public sealed record HeldAgent(AgentVersion Version, CommitHash Hash, JournalCommit? Commit, CommitReceipt? Repeat);

/// <summary>How a transaction ended for those that it held. A number on the wire: never renumber.</summary>
public enum HoldOutcome : byte
{
    /// <summary>Nothing was written: the agent goes on from where it stood.</summary>
    NotWritten = 0,

    /// <summary>All its commits are durable, under <see cref="HoldEnd.CommitTs"/>.</summary>
    Committed = 1,

    /// <summary>The coordinator cannot tell: the agent looks in the journal before it serves again.</summary>
    Unknown = 2,
}

/// <param name="Outcome">How the transaction ended.</param>
/// <param name="CommitTs">Its position in the feed where it committed; <see cref="CommitTs.None"/> otherwise.</param>
public readonly record struct HoldEnd(HoldOutcome Outcome, CommitTs CommitTs);

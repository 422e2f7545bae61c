using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>Asks an agent to hold its turn for a transaction over several agents and to decide on its share.</summary>
/// <param name="TxnId">The transaction.</param>
/// <param name="Commit">The agent's share: operations, or only reads that must still hold.</param>
/// <param name="Lease">How long the turn is held at most without hearing of the transaction's end.</param>
/// <param name="TriedAfter">
/// Where an earlier attempt of the same transaction came second: the version it was first decided on. It may have come
/// through all the same, so the journal after that version is searched for it before anything is decided.
/// </param>
/// <param name="HoldId">
/// Names this one hold where its end is told by a message: a transaction may hold an agent more than once, and what was
/// said of the first hold may arrive while the second one lasts.
/// </param>
public sealed record HoldRequest(Guid TxnId, CommitRequest Commit, TimeSpan Lease, AgentVersion? TriedAfter = null, Guid? HoldId = null);

/// <summary>An agent that is held: nothing else is decided on it until the transaction's end is told.</summary>
/// <param name="Version">Where the agent stands.</param>
/// <param name="Hash">The hash at <paramref name="Version"/>.</param>
/// <param name="StoreKey">The store's own number for the agent (<see cref="JournalHandle.StoreKey"/>); 0 = not known.</param>
/// <param name="Commit">What was decided; null where only reads are checked, or where there is nothing to write again.</param>
/// <param name="Repeat">The receipt of the commit that stands for this share already; null = none.</param>
public sealed record HeldAgent(AgentVersion Version, CommitHash Hash, long StoreKey, JournalCommit? Commit, CommitReceipt? Repeat);

/// <summary>How a transaction ended, as far as its coordinator knows.</summary>
public enum HoldOutcome : byte
{
    /// <summary>Nothing was written, and nothing will be.</summary>
    NotWritten = 0,

    /// <summary>Durable.</summary>
    Committed = 1,

    /// <summary>The journal must be asked, and more than once: the append may still land.</summary>
    Unknown = 2,

    /// <summary>Nothing was written, and nothing will be, but the agent is not where it was thought to be: the journal must be asked.</summary>
    Stale = 3,
}

/// <param name="Outcome">What is known.</param>
/// <param name="CommitTs">The transaction's position, where it is durable; 0 otherwise.</param>
public readonly record struct HoldEnd(HoldOutcome Outcome, CommitTs CommitTs = default);

/// <summary>
/// One agent's share in a transaction over several agents, as the coordinator sees it: the agent is in this process, or
/// a grain of another.
/// </summary>
/// <remarks>
/// From before the first agent shows the transaction until the last one does, no reader may be answered from any of
/// them: whoever was answered from one agent after the transaction must not be answered from another before it (I2).
/// </remarks>
public interface ITransactionShare
{
    /// <summary>Takes the agent's turn and decides. Where it throws, nothing is held.</summary>
    /// <exception cref="StatehouseException">The refusal of this share, or a fault.</exception>
    ValueTask<HeldAgent> HoldAsync(HoldRequest request, CancellationToken cancellationToken);

    /// <summary>From here on the append may land; what a reader of the journal finds must not be shown before the end.</summary>
    /// <exception cref="JournalBusyException">SH-2003. The turn may be gone: holding all agents took too long.</exception>
    void BeginAppend();

    /// <summary>The transaction is durable. Readers wait from here on, where they do not wait since <see cref="HoldAsync"/>.</summary>
    void CloseReads();

    /// <summary>Shows the commit, or lets it go, and gives the turn back.</summary>
    ValueTask EndAsync(HoldEnd end);

    /// <summary>Readers are answered again, where <see cref="EndAsync"/> did not let them already.</summary>
    void OpenReads();
}

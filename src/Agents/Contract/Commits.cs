using System.Collections.Immutable;
using Statehouse.Journal;

namespace Statehouse.Agents;

public enum OperationKind : byte
{
    Put = 1,
    Delete = 2,
}

/// <summary>One change of one key.</summary>
/// <param name="Kind">Put or delete.</param>
/// <param name="Key">Which key.</param>
/// <param name="Value">The value's JSON text for a put; default for a delete.</param>
/// <param name="IfVersion">Only if the key's version is this when the operation's turn comes; 0 = was never written. Earlier operations of the same commit count.</param>
/// <param name="IfLive">Only if the key exists (true) or does not exist (false; a tombstone does not exist) when the operation's turn comes.</param>
public sealed record Operation(
    OperationKind Kind, Key Key, JsonText Value = default, KeyVersion? IfVersion = null, bool? IfLive = null)
{
    /// <summary>
    /// For a put: the journal keeps the value beside the commit (<see cref="JournalCommit.Detail"/>), as a difference to the
    /// key's last value where that is shorter, and only its digest inside of it. So old values can be dropped later without
    /// breaking the chain. Reads do not differ.
    /// </summary>
    public bool IsDetached { get; init; }

    /// <summary>
    /// For a detached put: never as a difference. Whoever writes a key over and over sets it now and then: what follows a whole
    /// value can be read without anything before it, and so what stands before it can be dropped.
    /// </summary>
    public bool IsWhole { get; init; }
}

/// <summary>A key's version that a decision was based on; the commit is refused where it has changed since.</summary>
public readonly record struct ReadCheck(Key Key, KeyVersion Version);

/// <summary>What a caller asks one agent to commit.</summary>
/// <param name="Operations">1..1,000, applied in order, all or none.</param>
public sealed record CommitRequest(ImmutableArray<Operation> Operations)
{
    /// <summary>Only if this is the agent's version; 0 = the agent has no commit yet.</summary>
    public AgentVersion? IfAgentVersion { get; init; }

    /// <summary>
    /// Only if the agent's last commit has this commit_ts. Where agents may be removed, and others get their names, it tells
    /// them apart; a version does not.
    /// </summary>
    public CommitTs? IfAgentCommitTs { get; init; }

    /// <summary>1..256 bytes: a repeat with the same content returns the first receipt and writes nothing (I6).</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Any JSON object, up to 16 KiB, kept with the commit; default = none.</summary>
    public JsonText Metadata { get; init; }

    /// <summary>What an interactive transaction has read of this agent; empty otherwise.</summary>
    public ImmutableArray<ReadCheck> Reads { get; init; } = [];

    /// <summary>The transaction's id where it has one already; the agent draws one otherwise.</summary>
    public Guid? TxnId { get; init; }

    /// <summary>Nothing is written; what was read must still hold.</summary>
    public bool IsReadOnly => Operations.IsDefaultOrEmpty && !Reads.IsDefaultOrEmpty;
}

/// <summary>What a successful commit returns.</summary>
/// <param name="Version">The agent's version that the commit became.</param>
/// <param name="CommitTs">Its transaction's position in the feed.</param>
/// <param name="Time">Wall-clock UTC when it was decided.</param>
/// <param name="TxnId">The transaction it belongs to.</param>
/// <param name="Hash">Its link in the agent's hash chain.</param>
/// <param name="IdempotencyKey">As given, or null.</param>
/// <param name="Metadata">As given, or default.</param>
/// <param name="KeyVersions">The key version that each operation made, in order; default on a repeat whose commit is no longer in memory.</param>
/// <param name="Replayed">True where an earlier commit with the same idempotency key answered and nothing was written.</param>
public sealed record CommitReceipt(
    AgentVersion Version,
    CommitTs CommitTs,
    CommitTime Time,
    Guid TxnId,
    CommitHash Hash,
    string? IdempotencyKey,
    JsonText Metadata,
    ImmutableArray<KeyVersion> KeyVersions,
    bool Replayed);

/// <summary>One agent's share of a transaction over several agents.</summary>
public sealed record AgentCommitRequest(AgentId Agent, CommitRequest Commit)
{
    /// <summary>Nothing is written to this agent; what was read of it must still hold.</summary>
    public bool IsReadOnly => Commit.IsReadOnly;
}

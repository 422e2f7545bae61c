namespace Statehouse.Journal;

/// <summary>
/// The moments between which a process that dies leaves something different behind. A fault test is told when one is
/// reached, and ends the process there; where nobody asks, each costs one look at a null.
/// </summary>
/// <remarks>
/// Source: docs/decisions/0014-faults-are-put-in-from-outside.md. What a restart finds after each: docs/testing.md.
/// </remarks>
public enum CrashPoint
{
    /// <summary>A commit was decided on one agent, also as a share of a transaction; nothing of it is queued.</summary>
    AfterDecide,

    /// <summary>A batch was gathered; nothing of it was given to the store.</summary>
    BeforeAppend,

    /// <summary>SQLite: all rows of a batch stand in the open transaction; COMMIT was not said.</summary>
    AfterInsertBeforeCommit,

    /// <summary>PostgreSQL: a batch was sent, and its answer not read. The server commits it, or does not.</summary>
    AfterSend,

    /// <summary>A batch is durable, and nobody was told.</summary>
    AfterCommitBeforeReply,

    /// <summary>A snapshot is made, and not written.</summary>
    InSnapshot,

    /// <summary>A snapshot was written; the older one that it makes superfluous was not dropped.</summary>
    InThinning,

    /// <summary>A transaction holds at least one of its agents, and not all.</summary>
    BetweenHolds,

    /// <summary>A transaction is durable; none of its agents was told.</summary>
    BeforeParticipantsAreTold,

    /// <summary>A transaction is durable; at least one of its agents was told, and not all.</summary>
    BetweenParticipants,

    /// <summary>A journal is being opened: SQLite's write-ahead file was not emptied, PostgreSQL was not asked for its schema.</summary>
    WhileOpening,

    /// <summary>A migration has run; its transaction is open.</summary>
    InMigration,

    /// <summary>An agent is being loaded: its snapshot was read (or there is none), the commits after it were not.</summary>
    InLoad,

    /// <summary>A server that was told to stop takes nothing new; what is in flight goes on.</summary>
    WhileDraining,

    /// <summary>A silo that was told to stop has no request in flight; it is a member, and its agents are its own.</summary>
    BeforeHandover,

    /// <summary>A journal takes no more units; what is queued may not be written.</summary>
    InJournalDrain,

    /// <summary>A cleanup has removed executions; the snapshots that were kept of them are there.</summary>
    InCleanup,
}

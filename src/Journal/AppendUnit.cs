namespace Statehouse.Journal;

/// <summary>
/// One open journal: what its owner holds while the agent is in memory. The store notes its row number here, so that
/// appends need not look the agent up by name.
/// </summary>
public sealed class JournalHandle(AgentId agent)
{
    public AgentId Agent { get; } = agent;

    /// <summary>The store's own number for this agent; 0 until the store has met it, and again when the store finds the agent removed. Only the store writes it.</summary>
    public long StoreKey { get; set; }
}

/// <summary>
/// One agent's share of a unit: consecutive commits decided on exactly (<see cref="ExpectedVersion"/>,
/// <see cref="ExpectedHash"/>). They go in together, and only where the journal still ends there.
/// </summary>
public sealed class AppendRun
{
    public AppendRun(JournalHandle handle, AgentVersion expectedVersion, CommitHash expectedHash, IReadOnlyList<JournalCommit> commits)
    {
        if (commits.Count == 0)
            throw new ArgumentException("A run holds at least one commit.", nameof(commits));
        Handle = handle;
        ExpectedVersion = expectedVersion;
        ExpectedHash = expectedHash;
        Commits = commits;
        CommitTs = new CommitTs[commits.Count];
    }

    public JournalHandle Handle { get; }

    /// <summary>The journal's last version that the first commit was decided on; 0 = the agent has no journal yet.</summary>
    public AgentVersion ExpectedVersion { get; }

    /// <summary>The hash at <see cref="ExpectedVersion"/>; <see cref="CommitHash.Genesis"/> where that is 0.</summary>
    public CommitHash ExpectedHash { get; }

    /// <summary>Versions <see cref="ExpectedVersion"/>+1, +2, … Their <see cref="JournalCommit.CommitTs"/> is not set yet.</summary>
    public IReadOnlyList<JournalCommit> Commits { get; }

    /// <summary>The store writes each commit's position here when the unit went in; one number per txn id.</summary>
    public CommitTs[] CommitTs { get; }
}

public enum AppendOutcome : byte
{
    /// <summary>Not written yet.</summary>
    Pending = 0,

    /// <summary>All runs are durable; <see cref="AppendRun.CommitTs"/> is filled in.</summary>
    Appended,

    /// <summary>At least one journal did not end where its run expected. Nothing of the unit was written.</summary>
    Conflict,
}

/// <summary>
/// What a store writes whole or not at all: one agent's run, or one transaction's runs over several agents
/// (each then holds one commit, all with one txn id and so one commit_ts).
/// </summary>
public sealed class AppendUnit(IReadOnlyList<AppendRun> runs)
{
    /// <summary>1..n, ordered by <see cref="AgentId.CompareTo"/>, no agent twice.</summary>
    public IReadOnlyList<AppendRun> Runs { get; } = runs.Count > 0
        ? runs
        : throw new ArgumentException("A unit holds at least one run.", nameof(runs));

    /// <summary>Set by the store for each unit of a batch that it wrote.</summary>
    public AppendOutcome Outcome { get; set; }
}

namespace Statehouse.Journal;

/// <summary>
/// A database that keeps journals: the only thing that a backend implements. Knows bytes, no meaning.
/// All members may be called at once from several threads; <see cref="WriteAsync"/> from as many as
/// <see cref="WriterCount"/> says, and never with one agent in two calls at once.
/// </summary>
/// <remarks>
/// Every member throws <see cref="JournalUnavailableException"/> where the database cannot be reached within the
/// backend's bound, and <see cref="InvariantBrokenException"/> where what it holds is damaged.
/// The conformance suite (tests/Journal.Tests/JournalStoreConformance.cs) is the contract in executable form.
/// </remarks>
public interface IJournalStore : IAsyncDisposable
{
    /// <summary>For logs and readiness, for instance <c>sqlite</c>.</summary>
    string Name { get; }

    /// <summary>How many <see cref="WriteAsync"/> calls pay at once; 1 where the database has one writer.</summary>
    int WriterCount { get; }

    /// <summary>Whether other processes may be appending to this store: then heads move without this process's doing.</summary>
    bool IsShared { get; }

    /// <summary>
    /// Writes a batch in one round trip and one fsync, and returns when it is durable (I1). Sets each unit's
    /// <see cref="AppendUnit.Outcome"/> to Appended or Conflict: one unit's conflict never hurts another.
    /// </summary>
    /// <param name="batch">Units over pairwise different agents; up to about 1,000 commits or 4 MiB.</param>
    /// <param name="cancellationToken">Gives up waiting. The outcome is then unknown.</param>
    /// <exception cref="JournalUnavailableException">SH-2001. Nothing of the batch was written.</exception>
    /// <exception cref="JournalOutcomeUnknownException">SH-2002. Each unit is there whole or not at all.</exception>
    /// <remarks>
    /// commit_ts is drawn while the agents' rows are held, so that it grows along each agent also with several
    /// processes writing; commits that share a txn id share it.
    /// Where an exception ends the call, a unit whose outcome was set before keeps it: the exception speaks of the
    /// others.
    /// </remarks>
    Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken);

    /// <returns>null where the agent has no commit.</returns>
    /// <remarks>Also notes the agent's row number in <paramref name="handle"/>. Always asks the database.</remarks>
    Task<JournalHead?> ReadHeadAsync(JournalHandle handle, CancellationToken cancellationToken);

    /// <summary>The commits from..to in ascending order, read in pages: flat memory however long the range.</summary>
    /// <param name="handle">Whose journal.</param>
    /// <param name="fromInclusive">1 or more.</param>
    /// <param name="toInclusive">Clipped to the head.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <exception cref="HistoryTrimmedException">SH-1008. The agent was removed while it was read (<see cref="IJournalRetention"/>).</exception>
    IAsyncEnumerable<JournalCommit> ReadForwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken);

    /// <summary>The same range, newest first.</summary>
    IAsyncEnumerable<JournalCommit> ReadBackwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken);

    /// <summary>The newest version whose time is not after <paramref name="time"/>, by binary search over the primary key.</summary>
    /// <returns><see cref="AgentVersion.None"/> where the first kept commit is later.</returns>
    Task<AgentVersion> FindVersionAtTimeAsync(JournalHandle handle, CommitTime time, CancellationToken cancellationToken);

    /// <summary>The newest version whose commit_ts is not above <paramref name="commitTs"/>, by binary search over the primary key.</summary>
    /// <returns><see cref="AgentVersion.None"/> where the first kept commit is later.</returns>
    Task<AgentVersion> FindVersionAtTsAsync(JournalHandle handle, CommitTs commitTs, CancellationToken cancellationToken);

    /// <summary>The newest snapshot whose version is not above <paramref name="atMost"/>.</summary>
    /// <returns>null where there is none, or where the newest ones failed their checksum (those are passed over and logged).</returns>
    Task<JournalSnapshot?> ReadSnapshotAsync(JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken);

    /// <summary>Versions of all snapshots, ascending.</summary>
    Task<IReadOnlyList<AgentVersion>> ListSnapshotsAsync(JournalHandle handle, CancellationToken cancellationToken);

    /// <summary>Keeps a snapshot, durable or not at all. Writing the same version again replaces it.</summary>
    /// <exception cref="StateConflictException">SH-1001. The journal holds no commit of that version and hash: the agent was removed.</exception>
    /// <exception cref="InvariantBrokenException">SH-9001. The journal does not reach that version.</exception>
    Task WriteSnapshotAsync(JournalHandle handle, JournalSnapshot snapshot, CancellationToken cancellationToken);

    /// <summary>Drops snapshots; versions that have none are passed over.</summary>
    Task DeleteSnapshotsAsync(JournalHandle handle, IReadOnlyList<AgentVersion> versions, CancellationToken cancellationToken);

    /// <summary>Agents that have at least one commit, in byte order of their name's UTF-8.</summary>
    /// <param name="kind">Which world.</param>
    /// <param name="namespace">Exactly this one.</param>
    /// <param name="prefix">Names starting with it, byte for byte; empty = all.</param>
    /// <param name="afterExclusive">Names after this one; null = from the start.</param>
    /// <param name="limit">1..1,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyList<JournalHead>> ListAgentsAsync(
        AgentKind kind, string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Commits of all agents after a position, in commit_ts order. Never passes a transaction that may still become
    /// visible with a lower commit_ts, and never splits one.
    /// </summary>
    /// <param name="afterExclusive"><see cref="CommitTs.None"/> = from the start.</param>
    /// <param name="limit">1..1,000 commits; a transaction that crosses it is still returned whole.</param>
    /// <param name="namespace">Only this namespace; null = all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvariantBrokenException">
    /// SH-9001. The first transaction of the page is damaged; <see cref="InvariantBrokenException.FeedDamage"/> says where.
    /// What comes before a damaged transaction is returned as a page that ends there.
    /// </exception>
    Task<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken);

    /// <summary>The position through which the feed is complete now.</summary>
    Task<CommitTs> ReadFeedEndAsync(CancellationToken cancellationToken);

    /// <summary>A round trip to the database that could also write: throws where it is away or read-only.</summary>
    Task PingAsync(CancellationToken cancellationToken);
}

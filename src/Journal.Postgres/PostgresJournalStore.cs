using Npgsql;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// Journals in PostgreSQL: shared by any number of processes, fenced by each agent's row (I4). What is on disk:
/// docs/decisions/0004-postgres-layout.md; why the feed skips nothing: docs/decisions/0003-feed-order.md.
/// </summary>
public sealed class PostgresJournalStore : IJournalStore, ISnapshotInventory, IAgentIndex, IJournalRetention
{
    private readonly PostgresSessions _sessions;
    private readonly StreamIds _streamIds;
    private readonly HeadReader _heads;
    private readonly AppendWriter _writer;
    private readonly CommitReader _commits;
    private readonly VersionFinder _versions;
    private readonly SnapshotTable _snapshots;
    private readonly FeedReader _feed;
    private readonly AgentIndexTable _index;
    private readonly Retention _retention;

    private PostgresJournalStore(PostgresJournalOptions options, PostgresSessions sessions, IOperatorLog log)
    {
        WriterCount = options.WriterCount;
        _sessions = sessions;
        _streamIds = new StreamIds(sessions);
        _heads = new HeadReader(sessions);
        _writer = new AppendWriter(sessions, _streamIds, _heads, log, options.OnCrashPoint);
        _commits = new CommitReader(sessions, _heads);
        _versions = new VersionFinder(sessions, _heads);
        _snapshots = new SnapshotTable(sessions, _heads, log);
        _feed = new FeedReader(sessions);
        _index = new AgentIndexTable(sessions);
        _retention = new Retention(sessions, _heads);
    }

    public string Name => "postgres";

    public int WriterCount { get; }

    public bool IsShared => true;

    /// <summary>Connects, brings the schema up to date (several processes may do so at once), and warns of weak settings.</summary>
    /// <exception cref="JournalOpenException">The options, the server, the role or the schema do not do; the message says which and how.</exception>
    /// <exception cref="JournalUnavailableException">SH-2001. The server cannot be reached, or only lets read.</exception>
    public static async Task<PostgresJournalStore> OpenAsync(
        PostgresJournalOptions options, IOperatorLog log, CancellationToken cancellationToken)
    {
        options.Validate();
        var sessions = new PostgresSessions(options);
        try
        {
            await PostgresOpening.PrepareAsync(sessions, log, options.OnCrashPoint, cancellationToken).ConfigureAwait(false);
            return new PostgresJournalStore(options, sessions, log);
        }
        catch
        {
            await sessions.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InvariantBrokenException">
    /// SH-9001. The server refused the data of some units: those are still Pending, all others have their outcome.
    /// </exception>
    public Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken) =>
        _writer.WriteAsync(batch, cancellationToken);

    public Task<IReadOnlyList<JournalHandle>> ListAgentsBySnapshotsAsync(
        long afterStoreKey, int moreThan, int limit, CancellationToken cancellationToken) =>
        _snapshots.ListAgentsAsync(afterStoreKey, moreThan, limit, cancellationToken);

    public Task<JournalHead?> ReadHeadAsync(JournalHandle handle, CancellationToken cancellationToken) =>
        _heads.ReadAsync(handle, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReadForwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken) =>
        _commits.ForwardAsync(handle, fromInclusive, toInclusive, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReadBackwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken) =>
        _commits.BackwardAsync(handle, fromInclusive, toInclusive, cancellationToken);

    public Task<AgentVersion> FindVersionAtTimeAsync(JournalHandle handle, CommitTime time, CancellationToken cancellationToken) =>
        _versions.AtTimeAsync(handle, time, cancellationToken);

    public Task<AgentVersion> FindVersionAtTsAsync(JournalHandle handle, CommitTs commitTs, CancellationToken cancellationToken) =>
        _versions.AtTsAsync(handle, commitTs, cancellationToken);

    public Task<JournalSnapshot?> ReadSnapshotAsync(JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken) =>
        _snapshots.ReadAsync(handle, atMost, cancellationToken);

    public Task<IReadOnlyList<AgentVersion>> ListSnapshotsAsync(JournalHandle handle, CancellationToken cancellationToken) =>
        _snapshots.ListAsync(handle, cancellationToken);

    public Task WriteSnapshotAsync(JournalHandle handle, JournalSnapshot snapshot, CancellationToken cancellationToken) =>
        _snapshots.WriteAsync(handle, snapshot, cancellationToken);

    public Task DeleteSnapshotsAsync(JournalHandle handle, IReadOnlyList<AgentVersion> versions, CancellationToken cancellationToken) =>
        _snapshots.DeleteAsync(handle, versions, cancellationToken);

    public Task<IReadOnlyList<JournalHead>> ListAgentsAsync(
        AgentKind kind, string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken) =>
        _heads.ListAsync(kind, @namespace, prefix, afterExclusive, limit, cancellationToken);

    public Task<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken) =>
        _feed.ReadAsync(afterExclusive, limit, @namespace, cancellationToken);

    public Task<CommitTs> ReadFeedEndAsync(CancellationToken cancellationToken) =>
        _feed.ReadEndAsync(cancellationToken);

    public Task<IReadOnlyList<IndexedAgent>> QueryAsync(IndexQuery query, CancellationToken cancellationToken) =>
        _index.QueryAsync(query, cancellationToken);

    public Task<IReadOnlyDictionary<byte, long>> CountByStatusAsync(
        AgentKind kind, string @namespace, CancellationToken cancellationToken) =>
        _index.CountByStatusAsync(kind, @namespace, cancellationToken);

    public Task<long> CutDetailsAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken) =>
        _retention.CutDetailsAsync(handle, fromInclusive, toInclusive, cancellationToken);

    public async Task<bool> DeleteAgentAsync(
        JournalHandle handle, AgentVersion version, CommitHash hash, CancellationToken cancellationToken) =>
        (await DeleteAgentsAsync([new AgentEnd(handle, version, hash)], cancellationToken).ConfigureAwait(false))[0];

    public Task<IReadOnlyList<bool>> DeleteAgentsAsync(IReadOnlyList<AgentEnd> agents, CancellationToken cancellationToken) =>
        _retention.DeleteAgentsAsync(agents, cancellationToken);

    public async Task PingAsync(CancellationToken cancellationToken)
    {
        bool readOnly = await _sessions.CallAsync(
            static async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.Ping, connection);
                return (bool)(await command.ExecuteScalarAsync(token).ConfigureAwait(false))!;
            },
            cancellationToken).ConfigureAwait(false);
        if (readOnly)
            throw new JournalUnavailableException("PostgreSQL answers, but only lets read: it is a standby, or set to default_transaction_read_only.");
    }

    public async ValueTask DisposeAsync()
    {
        _streamIds.Dispose();
        await _sessions.DisposeAsync().ConfigureAwait(false);
    }
}

using System.Runtime.CompilerServices;
using Statehouse.Journal.Sqlite.Opening;
using Statehouse.Journal.Sqlite.Reading;
using Statehouse.Journal.Sqlite.Writing;

namespace Statehouse.Journal.Sqlite;

/// <summary>
/// The embedded journal of one process: a SQLite database in WAL mode, written by one thread with an fsync per batch,
/// read by several connections beside it. The data directory is this process's alone.
/// </summary>
public sealed class SqliteJournalStore : IJournalStore, IAgentIndex, IJournalRetention
{
    private readonly DataDirectoryLock _directoryLock;
    private readonly WriterLoop _writer;
    private readonly ReadPool _readers;
    private readonly IOperatorLog _log;
    private readonly Action<CrashPoint>? _onCrashPoint;
    private int _isDisposed;

    private SqliteJournalStore(
        DataDirectoryLock directoryLock, WriterLoop writer, ReadPool readers, IOperatorLog log, Action<CrashPoint>? onCrashPoint)
    {
        _onCrashPoint = onCrashPoint;
        _directoryLock = directoryLock;
        _writer = writer;
        _readers = readers;
        _log = log;
    }

    public string Name => "sqlite";

    public int WriterCount => 1;

    public bool IsShared => false;

    /// <summary>Opens the journal of a data directory; makes both where they are missing. Cheap however large the journal is.</summary>
    /// <exception cref="JournalOpenException">The message is one sentence for the operator.</exception>
    public static Task<SqliteJournalStore> OpenAsync(SqliteJournalOptions options, IOperatorLog log, CancellationToken cancellationToken) =>
        Task.Run(() => Open(options, log), cancellationToken);

    public async Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        var append = new BatchAppend(batch, _onCrashPoint);
        await _writer.TransactAsync(append.Write, append.Acknowledge, cancellationToken).ConfigureAwait(false);
    }

    public Task<JournalHead?> ReadHeadAsync(JournalHandle handle, CancellationToken cancellationToken) =>
        _readers.ReadAsync(database => StreamRows.Head(database, handle), cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReadForwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken) =>
        ReadRangeAsync(handle, fromInclusive, toInclusive, (range, database) => range.ReadForward(database), cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReadBackwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken) =>
        ReadRangeAsync(handle, fromInclusive, toInclusive, (range, database) => range.ReadBackward(database), cancellationToken);

    public Task<AgentVersion> FindVersionAtTimeAsync(JournalHandle handle, CommitTime time, CancellationToken cancellationToken) =>
        _readers.ReadAsync(database => VersionSearch.AtTime(database, handle, time), cancellationToken);

    public Task<AgentVersion> FindVersionAtTsAsync(JournalHandle handle, CommitTs commitTs, CancellationToken cancellationToken) =>
        _readers.ReadAsync(database => VersionSearch.AtCommitTs(database, handle, commitTs), cancellationToken);

    public Task<JournalSnapshot?> ReadSnapshotAsync(JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken) =>
        _readers.ReadAsync(database => SnapshotRows.Read(database, handle, atMost, _log), cancellationToken);

    public async Task<IReadOnlyList<AgentVersion>> ListSnapshotsAsync(JournalHandle handle, CancellationToken cancellationToken) =>
        await _readers.ReadAsync(database => SnapshotRows.Versions(database, handle), cancellationToken).ConfigureAwait(false);

    /// <summary>Waits its turn among the batches; a large body holds the writer while it is copied.</summary>
    public Task WriteSnapshotAsync(JournalHandle handle, JournalSnapshot snapshot, CancellationToken cancellationToken)
    {
        // Here, not on the writer's thread: hashing and compressing take longer than the insert.
        byte[] checksum = SnapshotRows.Checksum(snapshot.Version.Value, snapshot.Hash.AsSpan(), snapshot.Body.Span);
        ReadOnlyMemory<byte> stored = StoredBody.Encode(snapshot.Body);
        return TransactAsync(database => SnapshotRows.Write(database, handle.Agent, snapshot, checksum, stored.Span), cancellationToken);
    }

    public Task DeleteSnapshotsAsync(JournalHandle handle, IReadOnlyList<AgentVersion> versions, CancellationToken cancellationToken) =>
        TransactAsync(database => SnapshotRows.Delete(database, handle.Agent, versions), cancellationToken);

    public async Task<IReadOnlyList<JournalHead>> ListAgentsAsync(
        AgentKind kind, string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken) =>
        await _readers
            .ReadAsync(database => StreamRows.List(database, kind, @namespace, prefix, afterExclusive, limit), cancellationToken)
            .ConfigureAwait(false);

    /// <summary>A page may be short of its limit without being the last: it stops after 20,000 commits looked at or 8 MiB.</summary>
    public Task<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken) =>
        _readers.ReadAsync(database => FeedPageReader.ReadPage(database, afterExclusive, limit, @namespace), cancellationToken);

    public Task<CommitTs> ReadFeedEndAsync(CancellationToken cancellationToken) =>
        _readers.ReadAsync(FeedPageReader.End, cancellationToken);

    public async Task<IReadOnlyList<IndexedAgent>> QueryAsync(IndexQuery query, CancellationToken cancellationToken) =>
        await _readers.ReadAsync(database => IndexPageReader.Read(database, query), cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyDictionary<byte, long>> CountByStatusAsync(
        AgentKind kind, string @namespace, CancellationToken cancellationToken) =>
        await _readers.ReadAsync(database => IndexPageReader.Count(database, kind, @namespace), cancellationToken).ConfigureAwait(false);

    public async Task<long> CutDetailsAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken)
    {
        var cut = new DetailCut(handle, fromInclusive, toInclusive);
        while (!cut.IsDone)
            await _writer.TransactAsync(cut.Write, cut.Acknowledge, cancellationToken).ConfigureAwait(false);
        return cut.Dropped;
    }

    public async Task<bool> DeleteAgentAsync(
        JournalHandle handle, AgentVersion version, CommitHash hash, CancellationToken cancellationToken) =>
        (await DeleteAgentsAsync([new AgentEnd(handle, version, hash)], cancellationToken).ConfigureAwait(false))[0];

    /// <inheritdoc/>
    /// <remarks>Batches wait while it runs: about as long as writing the removed commits took.</remarks>
    public async Task<IReadOnlyList<bool>> DeleteAgentsAsync(IReadOnlyList<AgentEnd> agents, CancellationToken cancellationToken)
    {
        var removal = new AgentRemoval(agents);
        await _writer.TransactAsync(removal.Write, removal.Acknowledge, cancellationToken).ConfigureAwait(false);
        return removal.IsRemoved;
    }

    /// <summary>Writes one row for real, fsync included: only that tells a full or read-only disk from a good one.</summary>
    public Task PingAsync(CancellationToken cancellationToken) =>
        TransactAsync(database => database.Execute(Sql.ProbeWrite), cancellationToken);

    /// <summary>Reads everything and verifies it: pages, indexes, every agent's hash chain, every snapshot. For operators.</summary>
    /// <returns>One sentence per problem, at most about 100; empty = sound.</returns>
    /// <remarks>Takes as long as reading the whole file; writes go on, and gather in the write-ahead file meanwhile.</remarks>
    public Task<IReadOnlyList<string>> CheckAsync(CancellationToken cancellationToken) =>
        Task.Run(() => DeepCheck.RunAsync(_readers, cancellationToken), cancellationToken);

    /// <summary>Finishes what was asked for, closes the files and lets go of the directory.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        // The writer last: it moves the rest of the WAL into the database, which readers would hinder.
        await _readers.DisposeAsync().ConfigureAwait(false);
        await _writer.DisposeAsync().ConfigureAwait(false);
        _directoryLock.Dispose();
    }

    private static SqliteJournalStore Open(SqliteJournalOptions options, IOperatorLog log)
    {
        options.Validate();
        var directory = new DataDirectory(options.DataDirectory);
        directory.Create();
        DataDirectoryLock directoryLock = DataDirectoryLock.Acquire(directory);
        try
        {
            SqliteDatabase database = JournalFile.Open(directory, options);
            var writer = new WriterLoop(database, log);
            return new SqliteJournalStore(directoryLock, writer, new ReadPool(directory.JournalFile, options, writer), log, options.OnCrashPoint);
        }
        catch
        {
            directoryLock.Dispose();
            throw;
        }
    }

    private Task TransactAsync(Action<SqliteDatabase> work, CancellationToken cancellationToken) =>
        _writer.TransactAsync(work, acknowledge: () => { }, cancellationToken);

    /// <summary>No connection is held between two pages, so a slow or abandoned reader costs nobody anything.</summary>
    private async IAsyncEnumerable<JournalCommit> ReadRangeAsync(
        JournalHandle handle,
        AgentVersion fromInclusive,
        AgentVersion toInclusive,
        Func<CommitRange, SqliteDatabase, List<JournalCommit>> readPage,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        CommitRange? range = await _readers
            .ReadAsync(database => CommitRange.Clip(database, handle, fromInclusive, toInclusive), cancellationToken)
            .ConfigureAwait(false);
        while (range is { IsExhausted: false })
        {
            foreach (JournalCommit commit in await _readers.ReadAsync(database => readPage(range, database), cancellationToken).ConfigureAwait(false))
                yield return commit;
        }
    }
}

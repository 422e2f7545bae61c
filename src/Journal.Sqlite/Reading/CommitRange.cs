namespace Statehouse.Journal.Sqlite.Reading;

/// <summary>
/// A range of one agent's journal on its way to a reader, page by page. Every version of it must be there, and every
/// commit must chain on the one before (I3, I11): a gap or a changed byte is found when it is read.
/// </summary>
internal sealed class CommitRange
{
    // A page ends after whichever comes first. Together with one largest commit this bounds a reader's memory.
    private const int CommitsPerPage = 512;
    private const int BytesPerPage = 4 * 1024 * 1024;

    private readonly StreamExtent _extent;
    private long _from;
    private long _to;
    private CommitHash? _previousHash;

    private CommitRange(StreamExtent extent, long from, long to)
    {
        _extent = extent;
        _from = from;
        _to = to;
    }

    public bool IsExhausted => _from > _to;

    /// <summary>Clips what was asked for to what is kept.</summary>
    /// <returns>null where nothing of it is.</returns>
    public static CommitRange? Clip(SqliteDatabase database, JournalHandle handle, AgentVersion from, AgentVersion to)
    {
        StreamExtent? extent = StreamRows.Extent(database, handle);
        if (extent is null)
            return null;
        var range = new CommitRange(extent, Math.Max(from.Value, extent.First), Math.Min(to.Value, extent.Last));
        return range.IsExhausted ? null : range;
    }

    /// <summary>The next page in ascending order.</summary>
    public List<JournalCommit> ReadForward(SqliteDatabase database)
    {
        using SqliteStatement row = database.Prepare(Sql.CommitsForward)
            .Bind(1, _extent.StreamId).Bind(2, _previousHash is null ? PredecessorOf(_from) : _from).Bind(3, _to);
        if (_previousHash is null)
            _previousHash = ReadPredecessor(database, row, _from);
        var page = new List<JournalCommit>();
        long bytes = 0;
        while (!IsExhausted && page.Count < CommitsPerPage && bytes < BytesPerPage)
        {
            JournalCommit commit = ReadVersion(database, row, _from);
            if (_previousHash is { } previous)
                CheckChain(previous, commit);
            page.Add(commit);
            bytes += commit.Bytes;
            _previousHash = commit.Hash;
            _from++;
        }
        return page;
    }

    /// <summary>The next page in descending order.</summary>
    public List<JournalCommit> ReadBackward(SqliteDatabase database)
    {
        using SqliteStatement row = database.Prepare(Sql.CommitsBackward)
            .Bind(1, _extent.StreamId).Bind(2, PredecessorOf(_from)).Bind(3, _to);
        var page = new List<JournalCommit>();
        long bytes = 0;
        while (!IsExhausted && page.Count < CommitsPerPage && bytes < BytesPerPage)
        {
            JournalCommit commit = ReadVersion(database, row, _to);
            if (page.Count > 0)
                CheckChain(commit.Hash, page[^1]);
            page.Add(commit);
            bytes += commit.Bytes;
            _to--;
        }
        if (ReadPredecessor(database, row, page[^1].Version.Value) is { } previous)
            CheckChain(previous, page[^1]);
        return page;
    }

    /// <summary>The version that <paramref name="version"/> chains on, or itself where that one is not kept.</summary>
    private long PredecessorOf(long version) => Math.Max(version - 1, _extent.First);

    /// <summary>Steps to the hash that <paramref name="version"/> chains on; null where it was trimmed.</summary>
    private CommitHash? ReadPredecessor(SqliteDatabase database, SqliteStatement row, long version)
    {
        if (version == 1)
            return CommitHash.Genesis(_extent.Agent);
        if (version <= _extent.First)
            return null;
        Expect(database, row, version - 1);
        return CommitRows.Hash(row, _extent.Agent);
    }

    private JournalCommit ReadVersion(SqliteDatabase database, SqliteStatement row, long version)
    {
        Expect(database, row, version);
        return CommitRows.Decode(row, _extent.Agent);
    }

    private void Expect(SqliteDatabase database, SqliteStatement row, long version)
    {
        if (row.Step() && row.Int64(0) == version)
            return;
        throw StreamRows.Exists(database, _extent.StreamId)
            ? new InvariantBrokenException($"Version {version} of {_extent.Agent} is missing from its journal.")
            : new HistoryTrimmedException($"Agent {_extent.Agent} was removed while its commit {version} was read.");
    }

    private void CheckChain(in CommitHash previous, JournalCommit commit) =>
        CommitChain.Check(_extent.Agent, new AgentVersion(_extent.First), previous, commit);
}

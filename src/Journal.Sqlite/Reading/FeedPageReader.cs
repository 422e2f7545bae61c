namespace Statehouse.Journal.Sqlite.Reading;

/// <summary>
/// Reads the feed as a range of the journal's primary key. There is one writer and commit_ts is drawn inside its
/// transaction, so no lower position can become visible later.
/// </summary>
internal sealed class FeedPageReader
{
    // A page that has looked at this much returns what it has found: a namespace that writes little must not make one
    // call read the whole store.
    private const int RowsScannedMax = 20_000;
    private const long BytesMax = 8 * 1024 * 1024;

    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _row;
    private readonly int _limit;
    private readonly byte[]? _namespace;
    private readonly List<FeedCommit> _commits = [];
    private readonly Dictionary<long, AgentId> _agents = [];
    private readonly Dictionary<long, JournalCommit> _last = [];
    private CommitTs _through;
    private int _rowsScanned;
    private long _bytes;

    private FeedPageReader(SqliteDatabase database, SqliteStatement row, CommitTs afterExclusive, int limit, byte[]? @namespace)
    {
        _database = database;
        _row = row;
        _limit = limit;
        _namespace = @namespace;
        _through = afterExclusive;
    }

    /// <returns>As <see cref="IJournalStore.ReadFeedAsync"/>; a page may be short of its limit without being the last.</returns>
    public static FeedPage ReadPage(SqliteDatabase database, CommitTs afterExclusive, int limit, string? @namespace)
    {
        byte[]? namespaceBytes = @namespace is null ? null : StoredNames.Encode(@namespace);
        using SqliteStatement row = database.Prepare(Sql.Feed).Bind(1, FeedPosition.After(afterExclusive));
        return new FeedPageReader(database, row, afterExclusive, limit, namespaceBytes).Read();
    }

    public static CommitTs End(SqliteDatabase database) =>
        database.QueryNumber(Sql.FeedEnd) is { } position ? FeedPosition.CommitTsOf(position) : CommitTs.None;

    private FeedPage Read()
    {
        while (_row.Step())
        {
            CommitTs commitTs = FeedPosition.CommitTsOf(_row.Int64(1));
            // Only between transactions may a page end.
            if (commitTs != _through && IsFull)
                return new FeedPage(_commits, _through, AtEnd: false);
            try
            {
                Take(commitTs);
            }
            catch (InvariantBrokenException error) when (error.FeedDamage is not null)
            {
                if (BeforeDamage(commitTs) is { } sound)
                    return sound;
                throw;
            }
            _through = commitTs;
        }
        return new FeedPage(_commits, _through, AtEnd: true);
    }

    /// <summary>Sound commits are not lost with a damaged one: the next page begins with it, and is refused.</summary>
    /// <returns>null where there are none.</returns>
    private FeedPage? BeforeDamage(CommitTs damaged)
    {
        _commits.RemoveAll(item => item.Commit.CommitTs == damaged);
        return _commits.Count == 0 ? null : new FeedPage(_commits, _commits[^1].Commit.CommitTs, AtEnd: false);
    }

    private bool IsFull => _commits.Count >= _limit || _bytes >= BytesMax || _rowsScanned >= RowsScannedMax;

    /// <exception cref="InvariantBrokenException">SH-9001, with the transaction. The row is not what was written.</exception>
    private void Take(CommitTs commitTs)
    {
        _rowsScanned++;
        AgentId? agent = null;
        try
        {
            if (_row.IsNull(7))
                throw new InvariantBrokenException($"The commit at position {_row.Int64(1)} belongs to no agent: the journal is damaged.");
            if (_namespace is not null && !_row.Bytes(8).SequenceEqual(_namespace))
                return;
            agent = AgentOfRow();
            if (_row.Int64(11) != _row.Int64(1))
                throw new InvariantBrokenException($"The commit at position {_row.Int64(1)} was written at another: the journal is damaged.");
            JournalCommit commit = CommitOfRow(agent);
            _bytes += commit.Bytes;
            _commits.Add(new FeedCommit(agent, commit));
        }
        catch (InvariantBrokenException error)
        {
            throw CommitChain.InFeed(error, agent, new AgentVersion(_row.Int64(0)), commitTs);
        }
    }

    private JournalCommit CommitOfRow(AgentId agent)
    {
        JournalCommit commit = CommitRows.Decode(_row, agent);
        long streamId = _row.Int64(6);
        CommitChain.Check(agent, new AgentVersion(_row.Int64(10)), PreviousHash(streamId, commit.Version, agent), commit);
        _last[streamId] = commit;
        return commit;
    }

    /// <summary>A read of its own only where the page does not hold that commit: the feed of one busy agent needs one.</summary>
    private CommitHash? PreviousHash(long streamId, AgentVersion version, AgentId agent)
    {
        if (version.Value == 1)
            return null;
        if (_last.TryGetValue(streamId, out JournalCommit? last) && last.Version.Next == version)
            return last.Hash;
        using SqliteStatement previous = _database.Prepare(Sql.CommitHash).Bind(1, streamId).Bind(2, version.Value - 1);
        return previous.Step() ? CommitRows.DecodeHash(previous.Bytes(0), agent) : null;
    }

    private AgentId AgentOfRow()
    {
        long streamId = _row.Int64(6);
        if (!_agents.TryGetValue(streamId, out AgentId? agent))
        {
            agent = new AgentId((AgentKind)_row.Int64(7), StoredNames.Decode(_row.Bytes(8)), StoredNames.Decode(_row.Bytes(9)));
            _agents.Add(streamId, agent);
        }
        return agent;
    }
}

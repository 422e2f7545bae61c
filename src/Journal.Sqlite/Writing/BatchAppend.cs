namespace Statehouse.Journal.Sqlite.Writing;

/// <summary>
/// One batch on its way into the journal. <see cref="Write"/> runs inside a transaction; only <see cref="Acknowledge"/>,
/// after its fsync, tells the units' owners anything, so that a rollback leaves no trace in them.
/// </summary>
internal sealed class BatchAppend
{
    private readonly IReadOnlyList<AppendUnit> _batch;
    private readonly Action<CrashPoint>? _onCrashPoint;

    // Per run of the batch, in order: the agent's row; 0 where the run's unit did not go in.
    private readonly List<long> _streamIds;

    // Per commit, in order: its body as it is stored. Made by whoever brings the batch, not by the writer.
    private readonly ReadOnlyMemory<byte>[] _bodies;

    /// <exception cref="InvariantBrokenException">SH-9001. A unit is not what <see cref="AppendUnit"/> promises.</exception>
    public BatchAppend(IReadOnlyList<AppendUnit> batch, Action<CrashPoint>? onCrashPoint)
    {
        _onCrashPoint = onCrashPoint;
        _batch = batch;
        int runs = 0;
        int commits = 0;
        // By index, here and below: an interface's enumerator is an object, and there is one per unit and run.
        for (int u = 0; u < batch.Count; u++)
        {
            CheckUnit(batch[u]);
            runs += batch[u].Runs.Count;
            for (int r = 0; r < batch[u].Runs.Count; r++)
                commits += batch[u].Runs[r].Commits.Count;
        }
        _streamIds = new List<long>(runs);
        _bodies = new ReadOnlyMemory<byte>[commits];
        Encode();
    }

    public void Write(SqliteDatabase database)
    {
        // Asked anew each time: what the database holds is the only counter that no crash or rollback can put wrong.
        CommitTs next = NextCommitTs(database);
        int body = 0;
        for (int u = 0; u < _batch.Count; u++)
        {
            AppendUnit unit = _batch[u];
            int firstRun = _streamIds.Count;
            if (unit.Runs.Count == 1 ? TryFence(database, unit.Runs[0]) : TryFenceAll(database, unit))
                next = InsertCommits(database, unit, firstRun, body, next);
            for (int r = 0; r < unit.Runs.Count; r++)
                body += unit.Runs[r].Commits.Count;
        }
        _onCrashPoint?.Invoke(CrashPoint.AfterInsertBeforeCommit);
    }

    public void Acknowledge()
    {
        int i = 0;
        for (int u = 0; u < _batch.Count; u++)
        {
            AppendUnit unit = _batch[u];
            unit.Outcome = _streamIds[i] != 0 ? AppendOutcome.Appended : AppendOutcome.Conflict;
            for (int r = 0; r < unit.Runs.Count; r++)
            {
                if (_streamIds[i] != 0)
                    unit.Runs[r].Handle.StoreKey = _streamIds[i];
                i++;
            }
        }
    }

    private void Encode()
    {
        int body = 0;
        for (int u = 0; u < _batch.Count; u++)
        {
            for (int r = 0; r < _batch[u].Runs.Count; r++)
            {
                IReadOnlyList<JournalCommit> commits = _batch[u].Runs[r].Commits;
                for (int c = 0; c < commits.Count; c++)
                    _bodies[body++] = StoredBody.Encode(commits[c].Body);
            }
        }
    }

    private static CommitTs NextCommitTs(SqliteDatabase database)
    {
        long? last = database.QueryNumber(Sql.FeedEnd);
        return new CommitTs((last is null ? 0 : FeedPosition.CommitTsOf(last.Value).Value) + 1);
    }

    /// <summary>Several agents: all of their fences open, or all stay as they were.</summary>
    private bool TryFenceAll(SqliteDatabase database, AppendUnit unit)
    {
        int firstRun = _streamIds.Count;
        database.Execute(Sql.SavepointUnit);
        bool allOpen = unit.Runs.All(run => TryFence(database, run));
        if (!allOpen)
        {
            database.Execute(Sql.RollbackUnit);
            _streamIds.RemoveRange(firstRun, _streamIds.Count - firstRun);
            _streamIds.AddRange(Enumerable.Repeat(0L, unit.Runs.Count));
        }
        database.Execute(Sql.ReleaseUnit);
        return allOpen;
    }

    /// <summary>Moves the agent's end from what the run expects to the run's own; false where it is not there.</summary>
    private bool TryFence(SqliteDatabase database, AppendRun run)
    {
        long streamId = run.ExpectedVersion == AgentVersion.None ? Create(database, run) : Advance(database, run);
        _streamIds.Add(streamId);
        return streamId != 0;
    }

    private static long Create(SqliteDatabase database, AppendRun run)
    {
        JournalCommit last = run.Commits[^1];
        database.Prepare(Sql.StreamCreate)
            .BindAgent(run.Handle.Agent)
            .Bind(4, last.Version.Value)
            .Bind(5, last.Hash.AsSpan())
            .Bind(6, last.Time.UnixMicroseconds)
            .Run();
        return database.Changes == 1 ? database.LastInsertRowId : 0;
    }

    private static long Advance(SqliteDatabase database, AppendRun run)
    {
        long streamId = run.Handle.StoreKey != 0 ? run.Handle.StoreKey : StreamRows.Find(database, run.Handle.Agent);
        if (streamId == 0)
            return 0;
        JournalCommit last = run.Commits[^1];
        database.Prepare(Sql.StreamAdvance)
            .Bind(1, last.Version.Value)
            .Bind(2, last.Hash.AsSpan())
            .Bind(3, last.Time.UnixMicroseconds)
            .Bind(4, streamId)
            .Bind(5, run.ExpectedVersion.Value)
            .Bind(6, run.ExpectedHash.AsSpan())
            .Run();
        return database.Changes == 1 ? streamId : 0;
    }

    /// <returns>The next transaction's commit_ts.</returns>
    private CommitTs InsertCommits(SqliteDatabase database, AppendUnit unit, int firstRun, int firstBody, CommitTs commitTs)
    {
        bool isOneTransaction = unit.Runs.Count > 1;
        int body = firstBody;
        for (int r = 0; r < unit.Runs.Count; r++)
        {
            AppendRun run = unit.Runs[r];
            for (int c = 0; c < run.Commits.Count; c++)
            {
                Insert(database, FeedPosition.Of(commitTs, isOneTransaction ? r : 0), _streamIds[firstRun + r], run.Commits[c], _bodies[body++].Span);
                run.CommitTs[c] = commitTs;
                if (!isOneTransaction)
                    commitTs = new CommitTs(commitTs.Value + 1);
            }
            IndexRows.Write(database, _streamIds[firstRun + r], run);
        }
        return isOneTransaction ? new CommitTs(commitTs.Value + 1) : commitTs;
    }

    private static void Insert(SqliteDatabase database, long position, long streamId, JournalCommit commit, ReadOnlySpan<byte> storedBody)
    {
        Span<byte> txnId = stackalloc byte[16];
        commit.TxnId.TryWriteBytes(txnId, bigEndian: true, out _);
        database.Prepare(Sql.CommitInsert)
            .Bind(1, position)
            .Bind(2, streamId)
            .Bind(3, commit.Version.Value)
            .Bind(4, commit.Time.UnixMicroseconds)
            .Bind(5, txnId)
            .Bind(6, commit.Hash.AsSpan())
            .Bind(7, storedBody)
            .Run();
    }

    private static void CheckUnit(AppendUnit unit)
    {
        Guid txnId = unit.Runs[0].Commits[0].TxnId;
        if (unit.Runs.Count > FeedPosition.CommitsPerTransactionMax)
            throw new InvariantBrokenException(
                $"A transaction commits on {unit.Runs.Count} agents; the journal numbers at most {FeedPosition.CommitsPerTransactionMax}.");
        for (int r = 0; r < unit.Runs.Count; r++)
        {
            AppendRun run = unit.Runs[r];
            for (int i = 0; i < run.Commits.Count; i++)
            {
                if (run.Commits[i].Version.Value != run.ExpectedVersion.Value + 1 + i)
                    throw new InvariantBrokenException(
                        $"A run on {run.Handle.Agent} expects version {run.ExpectedVersion} but its commit {i} is version {run.Commits[i].Version}.");
            }
            if (unit.Runs.Count > 1 && (run.Commits.Count != 1 || run.Commits[0].TxnId != txnId))
                throw new InvariantBrokenException(
                    $"A unit over several agents holds one commit each, of one transaction; on {run.Handle.Agent} it does not.");
        }
    }
}

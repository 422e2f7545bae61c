using System.Text;
using Statehouse.Journal.Sqlite.Errors;

namespace Statehouse.Journal.Sqlite.Reading;

/// <summary>
/// Reads the whole database and says what is wrong with it: its pages and indexes, every agent's chain from its first
/// commit, every index row, every snapshot. Takes as long as reading the file does.
/// </summary>
internal static class DeepCheck
{
    private const int ProblemsMax = 100;

    /// <returns>One sentence per problem, at most about 100; empty = sound.</returns>
    public static async Task<IReadOnlyList<string>> RunAsync(ReadPool pool, CancellationToken cancellationToken)
    {
        List<string> problems = await pool.ReadAsync(CheckStructure, cancellationToken).ConfigureAwait(false);
        long after = 0;
        while (problems.Count < ProblemsMax)
        {
            cancellationToken.ThrowIfCancellationRequested();
            (long StreamId, AgentId Agent)? next = await pool.ReadAsync(database => NextAgent(database, after), cancellationToken).ConfigureAwait(false);
            if (next is null)
                break;
            after = next.Value.StreamId;
            var handle = new JournalHandle(next.Value.Agent) { StoreKey = after };
            await CheckAsync(problems, () => CheckChainAsync(pool, handle, cancellationToken)).ConfigureAwait(false);
            await CheckAsync(problems, () => CheckIndexRowAsync(pool, handle, cancellationToken)).ConfigureAwait(false);
            await CheckAsync(problems, () => CheckSnapshotsAsync(pool, handle, problems, cancellationToken)).ConfigureAwait(false);
        }
        return problems;
    }

    private static List<string> CheckStructure(SqliteDatabase database)
    {
        var problems = new List<string>();
        try
        {
            using SqliteStatement row = database.Prepare(Sql.CheckStructure);
            while (row.Step())
                problems.Add(Encoding.UTF8.GetString(row.Bytes(0)));
            if (problems is ["ok"])
                problems.Clear();
            using SqliteStatement orphans = database.Prepare(Sql.CheckOrphans);
            while (orphans.Step())
            {
                if (orphans.Int64(1) > 0)
                    problems.Add($"{orphans.Int64(1)} {Encoding.UTF8.GetString(orphans.Bytes(0))} belong to no agent.");
            }
        }
        catch (SqliteFailure failure) when (failure.IsDamage)
        {
            problems.Add(failure.Message);
        }
        return problems;
    }

    private static (long StreamId, AgentId Agent)? NextAgent(SqliteDatabase database, long after)
    {
        using SqliteStatement row = database.Prepare(Sql.StreamAll).Bind(1, after);
        return row.Step()
            ? (row.Int64(0), new AgentId((AgentKind)row.Int64(1), StoredNames.Decode(row.Bytes(2)), StoredNames.Decode(row.Bytes(3))))
            : null;
    }

    private static async Task CheckChainAsync(ReadPool pool, JournalHandle handle, CancellationToken cancellationToken)
    {
        await pool.ReadAsync(database => StreamRows.Head(database, handle), cancellationToken).ConfigureAwait(false);
        CommitRange? range = await pool
            .ReadAsync(database => CommitRange.Clip(database, handle, new AgentVersion(1), new AgentVersion(long.MaxValue)), cancellationToken)
            .ConfigureAwait(false);
        var last = (CommitTs: CommitTs.None, Time: new CommitTime(long.MinValue));
        while (range is { IsExhausted: false })
        {
            foreach (JournalCommit commit in await pool.ReadAsync(range.ReadForward, cancellationToken).ConfigureAwait(false))
            {
                if (commit.CommitTs <= last.CommitTs || commit.Time < last.Time)
                    throw new InvariantBrokenException($"commit_ts or time of {handle.Agent} goes back at version {commit.Version}.");
                last = (commit.CommitTs, commit.Time);
            }
        }
    }

    private static Task CheckIndexRowAsync(ReadPool pool, JournalHandle handle, CancellationToken cancellationToken) => pool.ReadAsync(
        database =>
        {
            using SqliteStatement row = database.Prepare(Sql.IndexRow).Bind(1, handle.StoreKey);
            if (row.Step() && IndexRowReader.Decode(row, handle.Agent.Kind, handle.Agent.Namespace).Agent != handle.Agent)
                throw new InvariantBrokenException($"The index row of {handle.Agent} has the name of another agent.");
            return true;
        },
        cancellationToken);

    private static async Task CheckSnapshotsAsync(
        ReadPool pool, JournalHandle handle, List<string> problems, CancellationToken cancellationToken)
    {
        List<AgentVersion> versions = await pool
            .ReadAsync(database => SnapshotRows.Versions(database, handle), cancellationToken).ConfigureAwait(false);
        foreach (AgentVersion version in versions)
            await pool.ReadAsync(database => SnapshotRows.CheckOne(database, handle, version, problems), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A problem of one agent does not keep the others from being looked at.</summary>
    private static async Task CheckAsync(List<string> problems, Func<Task> check)
    {
        try
        {
            await check().ConfigureAwait(false);
        }
        catch (InvariantBrokenException broken)
        {
            problems.Add(broken.Message);
        }
        catch (HistoryTrimmedException)
        {
            // Removed while it was looked at: what is gone has no problem.
        }
    }
}

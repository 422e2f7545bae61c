using Npgsql;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// Pages of all agents' commits. First the server says how far a page may go (0004_feed.sql), then that window, which
/// can no longer change, is read. Source: docs/decisions/0003-feed-order.md.
/// </summary>
internal sealed class FeedReader(PostgresSessions sessions)
{
    /// <summary>Bodies of a page together; one transaction is always taken.</summary>
    private const long PageBytesMax = 4 * 1024 * 1024;

    /// <summary>Commits looked at for a page of one namespace: a bound on its time where few of them match.</summary>
    private const long ScanMax = 20_000;

    public Task<FeedPage> ReadAsync(
        CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken) =>
        sessions.CallAsync(
            async (connection, token) =>
            {
                // A namespace that no agent can have matches nothing, as the empty one does.
                string? only = @namespace is null || NameRange.CanExist(@namespace) ? @namespace : "";
                (CommitTs through, bool atEnd) =
                    await WindowAsync(connection, afterExclusive, limit, only, token).ConfigureAwait(false);
                return through > afterExclusive
                    ? await PageAsync(connection, afterExclusive, new FeedPage([], through, atEnd), only, token).ConfigureAwait(false)
                    : new FeedPage([], through, atEnd);
            },
            cancellationToken);

    public Task<CommitTs> ReadEndAsync(CancellationToken cancellationToken) =>
        sessions.CallAsync(
            static async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.FeedEnd, connection);
                return new CommitTs((long)(await command.ExecuteScalarAsync(token).ConfigureAwait(false))!);
            },
            cancellationToken);

    private static async Task<(CommitTs Through, bool AtEnd)> WindowAsync(
        NpgsqlConnection connection, CommitTs after, int limit, string? only, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SqlText.FeedWindow, connection);
        command.AddRange(
            PgParameter.Of(after.Value), PgParameter.Of((long)limit), PgParameter.Of(PageBytesMax),
            PgParameter.Of(ScanMax), PgParameter.Of(only));
        await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await row.ReadAsync(cancellationToken).ConfigureAwait(false);
        return (new CommitTs(row.GetInt64(0)), row.GetBoolean(1));
    }

    /// <summary>The commits of a window, up to a transaction that is damaged.</summary>
    private static async Task<FeedPage> PageAsync(
        NpgsqlConnection connection, CommitTs after, FeedPage window, string? only, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SqlText.FeedPage, connection);
        command.AddRange(PgParameter.Of(after.Value), PgParameter.Of(window.Through.Value), PgParameter.Of(only));
        await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var commits = new List<FeedCommit>();
        while (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                commits.Add(Commit(row));
            }
            catch (InvariantBrokenException error) when (error.FeedDamage is { } damaged)
            {
                // Sound commits are not lost with a damaged one: the next page begins with it, and is refused.
                commits.RemoveAll(item => item.Commit.CommitTs == damaged);
                if (commits.Count == 0)
                    throw;
                return new FeedPage(commits, commits[^1].Commit.CommitTs, AtEnd: false);
            }
        }
        return window with { Commits = commits };
    }

    /// <summary>Columns: commit_ts, kind, namespace, name, version, committed_at, txn_id, hash, body, first_version, previous_hash.</summary>
    private static FeedCommit Commit(NpgsqlDataReader row)
    {
        var agent = new AgentId((AgentKind)row.GetInt16(1), row.GetString(2), row.GetString(3));
        var commitTs = new CommitTs(row.GetInt64(0));
        var version = new AgentVersion(row.GetInt64(4));
        try
        {
            var commit = new JournalCommit(
                version, commitTs, new CommitTime(row.GetInt64(5)), row.GetGuid(6), StoredHash.Read(row, 7, agent), row.GetFieldValue<byte[]>(8));
            CommitChain.Check(agent, new AgentVersion(row.GetInt64(9)), StoredHash.ReadOrNull(row, 10, agent), commit);
            return new FeedCommit(agent, commit);
        }
        catch (InvariantBrokenException error)
        {
            throw CommitChain.InFeed(error, agent, version, commitTs);
        }
    }
}

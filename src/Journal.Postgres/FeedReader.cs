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
                List<FeedCommit> commits = through > afterExclusive
                    ? await PageAsync(connection, afterExclusive, through, only, token).ConfigureAwait(false)
                    : [];
                return new FeedPage(commits, through, atEnd);
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

    private static async Task<List<FeedCommit>> PageAsync(
        NpgsqlConnection connection, CommitTs after, CommitTs through, string? only, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SqlText.FeedPage, connection);
        command.AddRange(PgParameter.Of(after.Value), PgParameter.Of(through.Value), PgParameter.Of(only));
        await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var commits = new List<FeedCommit>();
        while (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
            commits.Add(Commit(row));
        return commits;
    }

    /// <summary>Columns: commit_ts, kind, namespace, name, version, committed_at, txn_id, hash, body, first_version, previous_hash.</summary>
    private static FeedCommit Commit(NpgsqlDataReader row)
    {
        var agent = new AgentId((AgentKind)row.GetInt16(1), row.GetString(2), row.GetString(3));
        var commit = new JournalCommit(
            new AgentVersion(row.GetInt64(4)),
            new CommitTs(row.GetInt64(0)),
            new CommitTime(row.GetInt64(5)),
            row.GetGuid(6),
            StoredHash.Read(row, 7, agent),
            row.GetFieldValue<byte[]>(8));
        CommitChain.Check(agent, new AgentVersion(row.GetInt64(9)), StoredHash.ReadOrNull(row, 10, agent), commit);
        return new FeedCommit(agent, commit);
    }
}

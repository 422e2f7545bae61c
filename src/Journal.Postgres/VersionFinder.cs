using Npgsql;

namespace Statehouse.Journal.Postgres;

/// <summary>Binary searches along one agent, on the server.</summary>
internal sealed class VersionFinder(PostgresSessions sessions, HeadReader heads)
{
    public Task<AgentVersion> AtTimeAsync(JournalHandle handle, CommitTime time, CancellationToken cancellationToken) =>
        FindAsync(handle, byTime: true, time.UnixMicroseconds, cancellationToken);

    public Task<AgentVersion> AtTsAsync(JournalHandle handle, CommitTs commitTs, CancellationToken cancellationToken) =>
        FindAsync(handle, byTime: false, commitTs.Value, cancellationToken);

    private async Task<AgentVersion> FindAsync(JournalHandle handle, bool byTime, long atMost, CancellationToken cancellationToken)
    {
        if (handle.StoreKey == 0 && await heads.ReadAsync(handle, cancellationToken).ConfigureAwait(false) is null)
            return AgentVersion.None;
        long streamId = handle.StoreKey;
        AgentVersion found = await FindAsync(streamId, byTime, atMost, cancellationToken).ConfigureAwait(false);
        if (found != AgentVersion.None)
            return found;
        // Before the first commit; or the number is nobody's any more, and the agent of that name is another one now.
        return await heads.ReadAsync(handle, cancellationToken).ConfigureAwait(false) is null || handle.StoreKey == streamId
            ? AgentVersion.None
            : await FindAsync(handle.StoreKey, byTime, atMost, cancellationToken).ConfigureAwait(false);
    }

    private Task<AgentVersion> FindAsync(long streamId, bool byTime, long atMost, CancellationToken cancellationToken) =>
        sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.FindVersion, connection);
                command.AddRange(PgParameter.Of(streamId), PgParameter.Of(byTime), PgParameter.Of(atMost));
                return new AgentVersion((long)(await command.ExecuteScalarAsync(token).ConfigureAwait(false))!);
            },
            cancellationToken);
}

using Npgsql;

namespace Statehouse.Journal.Postgres;

/// <summary>Where agents' journals end, one by one or in pages of a listing.</summary>
internal sealed class HeadReader(PostgresSessions sessions)
{
    /// <summary>
    /// By row number where the handle knows it, else by name; notes the number. A number that is nobody's any more is
    /// forgotten: the agent was removed, and may have been created again.
    /// </summary>
    /// <returns>null where the agent has no commit.</returns>
    public Task<JournalHead?> ReadAsync(JournalHandle handle, CancellationToken cancellationToken) =>
        sessions.CallAsync(
            async (connection, token) =>
            {
                bool byNumber = handle.StoreKey != 0;
                JournalHead? head = await ReadAsync(connection, handle, token).ConfigureAwait(false);
                if (head is not null || !byNumber)
                    return head;
                handle.StoreKey = 0;
                return await ReadAsync(connection, handle, token).ConfigureAwait(false);
            },
            cancellationToken);

    public async Task<IReadOnlyList<JournalHead>> ListAsync(
        AgentKind kind, string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken)
    {
        if (!NameRange.CanExist(@namespace) || !NameRange.CanExist(prefix))
            return [];
        return await sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.ListAgents, connection);
                command.AddRange(
                    PgParameter.Of(kind), PgParameter.Of(@namespace), PgParameter.Of(prefix), PgParameter.Of(NameRange.End(prefix)),
                    PgParameter.Of(NameRange.After(afterExclusive)), PgParameter.Of((long)limit));
                await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                var heads = new List<JournalHead>();
                while (await row.ReadAsync(token).ConfigureAwait(false))
                    heads.Add(Head(new AgentId(kind, @namespace, row.GetString(0)), row));
                return heads;
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static async Task<JournalHead?> ReadAsync(
        NpgsqlConnection connection, JournalHandle handle, CancellationToken cancellationToken)
    {
        if (!NameRange.CanExist(handle.Agent.Namespace) || !NameRange.CanExist(handle.Agent.Name))
            return null;
        await using NpgsqlCommand command = connection.CreateCommand();
        long streamId = handle.StoreKey;
        command.CommandText = streamId != 0 ? SqlText.ReadHead : SqlText.ReadHeadByName;
        if (streamId != 0)
            command.AddRange(PgParameter.Of(streamId));
        else
            command.AddRange(PgParameter.Of(handle.Agent.Kind), PgParameter.Of(handle.Agent.Namespace), PgParameter.Of(handle.Agent.Name));
        await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        if (!await row.ReadAsync(cancellationToken).ConfigureAwait(false))
            return null;
        handle.StoreKey = row.GetInt64(0);
        return Head(handle.Agent, row);
    }

    /// <summary>Columns 1..5: version, commit_ts, committed_at, head_hash, first_version.</summary>
    private static JournalHead Head(AgentId agent, NpgsqlDataReader row)
    {
        var version = new AgentVersion(row.GetInt64(1));
        if (row.IsDBNull(2))
            throw new InvariantBrokenException($"The journal of {agent} ends at version {version}, and that commit is missing.");
        return new JournalHead(
            agent,
            version,
            new CommitTs(row.GetInt64(2)),
            new CommitTime(row.GetInt64(3)),
            StoredHash.Read(row, 4, agent),
            new AgentVersion(row.GetInt64(5)));
    }
}

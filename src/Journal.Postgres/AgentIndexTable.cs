using System.Collections.Immutable;
using Npgsql;
using NpgsqlTypes;

namespace Statehouse.Journal.Postgres;

/// <summary>Finds agents by what their commits say of them. The rows are written by the append: 0006_agent_index.sql.</summary>
internal sealed class AgentIndexTable(PostgresSessions sessions)
{
    public async Task<IReadOnlyList<IndexedAgent>> QueryAsync(IndexQuery query, CancellationToken cancellationToken)
    {
        if (!CanMatch(query))
            return [];
        return await sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.QueryIndex(query.Order, query.Descending), connection);
                AddTo(command, query);
                await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                var found = new List<IndexedAgent>();
                while (await row.ReadAsync(token).ConfigureAwait(false))
                    found.Add(Agent(row, query));
                return found;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyDictionary<byte, long>> CountByStatusAsync(
        AgentKind kind, string @namespace, CancellationToken cancellationToken)
    {
        if (!NameRange.CanExist(@namespace))
            return ImmutableDictionary<byte, long>.Empty;
        return await sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.CountIndex, connection);
                command.AddRange(PgParameter.Of(kind), PgParameter.Of(@namespace));
                await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                var counts = new Dictionary<byte, long>();
                while (await row.ReadAsync(token).ConfigureAwait(false))
                    counts.Add(checked((byte)row.GetInt16(0)), row.GetInt64(1));
                return counts;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Texts that the database cannot hold match nothing.</summary>
    private static bool CanMatch(IndexQuery query) =>
        NameRange.CanExist(query.Namespace)
        && (query.Group is null || NameRange.CanExist(query.Group))
        && query.Labels.All(NameRange.CanExist);

    private static void AddTo(NpgsqlCommand command, IndexQuery query) => command.AddRange(
        PgParameter.Of(query.Kind),
        PgParameter.Of(query.Namespace),
        PgParameter.OfArray(query.Statuses.Select(static status => (short)status).ToArray(), NpgsqlDbType.Smallint),
        PgParameter.Of(query.Group),
        new NpgsqlParameter
        {
            Value = query.Labels.IsEmpty ? DBNull.Value : query.Labels.ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        },
        PgParameter.Of(query.StartedFrom?.UnixMicroseconds),
        PgParameter.Of(query.StartedTo?.UnixMicroseconds),
        PgParameter.Of(query.UpdatedFrom?.UnixMicroseconds),
        PgParameter.Of(query.UpdatedTo?.UnixMicroseconds),
        PgParameter.Of(query.DueAtMost?.UnixMicroseconds),
        PgParameter.Of(query.After?.Value.UnixMicroseconds),
        PgParameter.Of(NameRange.After(query.After?.Name)),
        PgParameter.Of((long)query.Limit));

    /// <summary>Columns: name, version, updated_at, status, group_name, labels, started_at, due_at, summary.</summary>
    private static IndexedAgent Agent(NpgsqlDataReader row, IndexQuery query) => new(
        new AgentId(query.Kind, query.Namespace, row.GetString(0)),
        new AgentVersion(row.GetInt64(1)),
        new CommitTime(row.GetInt64(2)),
        new IndexRow(
            checked((byte)row.GetInt16(3)),
            row.GetString(4),
            [.. row.GetFieldValue<string[]>(5)],
            new CommitTime(row.GetInt64(6)),
            row.IsDBNull(7) ? null : new CommitTime(row.GetInt64(7)),
            row.GetFieldValue<byte[]>(8)));
}

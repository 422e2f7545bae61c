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
        var page = new IndexPage(query);
        return await sessions.CallAsync(
            async (connection, token) =>
            {
                string? rare = page.Facets.Count == 0 ? null : await RareFacetAsync(connection, query, page, token).ConfigureAwait(false);
                return await ReadAsync(connection, query, page, rare, token).ConfigureAwait(false);
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

    /// <summary>The one of the facets asked for that fewest agents have, if it is rare; null = none is.</summary>
    private static async Task<string?> RareFacetAsync(
        NpgsqlConnection connection, IndexQuery query, IndexPage page, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SqlText.FacetCounts, connection);
        command.AddRange(
            PgParameter.Of(query.Kind), PgParameter.Of(query.Namespace),
            PgParameter.OfArray(page.Facets.ToArray(), NpgsqlDbType.Text), PgParameter.Of(IndexPage.RareAgentsMax + 1L));
        await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        (string? rarest, long agents) = (null, IndexPage.RareAgentsMax + 1L);
        while (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (row.GetInt64(1) < agents)
                (rarest, agents) = (row.GetString(0), row.GetInt64(1));
        }
        return rarest;
    }

    /// <summary>One round trip, and one implicit transaction, which the planner's settings end with.</summary>
    private static async Task<List<IndexedAgent>> ReadAsync(
        NpgsqlConnection connection, IndexQuery query, IndexPage page, string? rare, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SqlText.IndexPlan));
        var select = new NpgsqlBatchCommand(rare is null ? PostgresIndexTexts.InOrder(query) : PostgresIndexTexts.ByFacet(query));
        AddTo(select, query, page);
        if (rare is not null)
            select.Parameters.Add(PgParameter.Of(rare));
        batch.BatchCommands.Add(select);
        await batch.PrepareAsync(cancellationToken).ConfigureAwait(false);
        await using NpgsqlDataReader row = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await row.NextResultAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<IndexedAgent>();
        while (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
            found.Add(Agent(row, query));
        return found;
    }

    private static void AddTo(NpgsqlBatchCommand command, IndexQuery query, IndexPage page)
    {
        foreach (NpgsqlParameter parameter in (ReadOnlySpan<NpgsqlParameter>)
            [
                PgParameter.Of(query.Kind),
                PgParameter.Of(query.Namespace),
                PgParameter.Of(page.BeyondValue),
                PgParameter.Of(NameRange.After(page.BeyondName)),
                PgParameter.Of(page.End),
                PgParameter.Of(IndexPage.From(query.StartedFrom)),
                PgParameter.Of(IndexPage.To(query.StartedTo)),
                PgParameter.Of(IndexPage.From(query.UpdatedFrom)),
                PgParameter.Of(IndexPage.To(query.UpdatedTo)),
                PgParameter.Of(query.DueAtMost?.UnixMicroseconds),
                PgParameter.Of(query.Group),
                PgParameter.OfArray(query.Labels.ToArray(), NpgsqlDbType.Text),
                PgParameter.Of((long)query.Limit),
                PgParameter.OfArray(query.Statuses.Select(static status => (short)status).ToArray(), NpgsqlDbType.Smallint),
            ])
            command.Parameters.Add(parameter);
    }

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

using System.Collections.Immutable;

namespace Statehouse.Journal.Sqlite.Writing;

/// <summary>Writes the tables <c>agent_index</c> and <c>agent_facet</c>, inside of the transaction of an append.</summary>
internal static class IndexRows
{
    /// <summary>Where a run carries index rows, the last one becomes its agent's.</summary>
    public static void Write(SqliteDatabase database, long streamId, AppendRun run)
    {
        for (int i = run.Commits.Count - 1; i >= 0; i--)
        {
            if (run.Commits[i].Index is not { } row)
                continue;
            Write(database, streamId, run.Handle.Agent, run.Commits[i], row);
            return;
        }
    }

    public static void Delete(SqliteDatabase database, long streamId, AgentId agent)
    {
        DeleteFacets(database, streamId, agent);
        database.Prepare(Sql.IndexDelete).Bind(1, streamId).Run();
    }

    private static void Write(SqliteDatabase database, long streamId, AgentId agent, JournalCommit commit, IndexRow row)
    {
        byte[] group = StoredNames.Encode(row.Group);
        ImmutableArray<string> labels = row.Labels.IsDefault ? [] : row.Labels;
        byte[] labelsJson = StoredLabels.Encode(labels);
        if (!HasFacets(database, streamId, group, labelsJson))
            ReplaceFacets(database, streamId, agent, row.Group, labels);
        database.Prepare(Sql.IndexWrite)
            .BindAgent(agent)
            .Bind(4, streamId)
            .Bind(5, commit.Version.Value)
            .Bind(6, commit.Time.UnixMicroseconds)
            .Bind(7, row.Status)
            .BindText(8, group)
            .BindText(9, labelsJson)
            .Bind(10, row.StartedAt.UnixMicroseconds)
            .BindNullable(11, row.DueAt?.UnixMicroseconds)
            .Bind(12, row.Summary.Span)
            .Bind(13, IndexRowChecksum.Of(StoredNames.Encode(agent.Name), commit.Version, commit.Time, row, group, labelsJson))
            .Run();
    }

    private static bool HasFacets(SqliteDatabase database, long streamId, byte[] group, byte[] labelsJson)
    {
        using SqliteStatement old = database.Prepare(Sql.IndexFacets).Bind(1, streamId);
        return old.Step() && old.Bytes(0).SequenceEqual(group) && old.Bytes(1).SequenceEqual(labelsJson);
    }

    private static void ReplaceFacets(SqliteDatabase database, long streamId, AgentId agent, string group, ImmutableArray<string> labels)
    {
        DeleteFacets(database, streamId, agent);
        foreach (string facet in IndexPage.FacetsOf(group, labels))
            database.Prepare(Sql.FacetAdd).BindFacet(agent, facet).Bind(4, streamId).Run();
    }

    private static void DeleteFacets(SqliteDatabase database, long streamId, AgentId agent)
    {
        foreach (string facet in FacetsOf(database, streamId))
            database.Prepare(Sql.FacetDelete).BindFacet(agent, facet).Bind(4, streamId).Run();
    }

    private static IReadOnlyList<string> FacetsOf(SqliteDatabase database, long streamId)
    {
        using SqliteStatement old = database.Prepare(Sql.IndexFacets).Bind(1, streamId);
        return old.Step() ? IndexPage.FacetsOf(StoredNames.Decode(old.Bytes(0)), StoredLabels.Decode(old.Bytes(1))) : [];
    }

    private static SqliteStatement BindFacet(this SqliteStatement statement, AgentId agent, string facet) =>
        statement.Bind(1, (long)agent.Kind).BindText(2, StoredNames.Encode(agent.Namespace)).BindText(3, StoredNames.Encode(facet));
}

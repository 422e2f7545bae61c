using System.Text.Json;

namespace Statehouse.Journal.Sqlite.Reading;

/// <summary>
/// Finds agents by their index rows. Either along the index of the order asked for, status by status; or, where a group
/// or a label is asked for that few agents have, by looking at those.
/// </summary>
internal sealed class IndexPageReader
{
    private readonly SqliteDatabase _database;
    private readonly IndexQuery _query;
    private readonly byte[] _namespace;
    private readonly IndexPage _page;

    private IndexPageReader(SqliteDatabase database, IndexQuery query)
    {
        _database = database;
        _query = query;
        _namespace = StoredNames.Encode(query.Namespace);
        _page = new IndexPage(query);
    }

    /// <summary>As <see cref="IAgentIndex.QueryAsync"/>; all of it as of one moment.</summary>
    public static List<IndexedAgent> Read(SqliteDatabase database, IndexQuery query) =>
        database.AsOfOneMoment(new IndexPageReader(database, query).Read);

    /// <summary>As <see cref="IAgentIndex.CountByStatusAsync"/>.</summary>
    public static Dictionary<byte, long> Count(SqliteDatabase database, AgentKind kind, string @namespace)
    {
        using SqliteStatement row = database.Prepare(Sql.IndexCount).Bind(1, (long)kind).BindText(2, StoredNames.Encode(@namespace));
        var counts = new Dictionary<byte, long>();
        while (row.Step())
            counts.Add(IndexRowReader.Status(row.Int64(0)), row.Int64(1));
        return counts;
    }

    private List<IndexedAgent> Read()
    {
        var found = new List<IndexedAgent>();
        if (RareFacet() is { } rare)
        {
            Take(Bind(SqliteIndexTexts.ByFacet(_query)).BindTextOrNull(3, StatusesJson()).BindText(14, rare), found);
            return found;
        }
        foreach (long status in _query.Statuses.IsEmpty ? UsedStatuses() : [.. _query.Statuses.Distinct().Select(status => (long)status)])
            Take(Bind(SqliteIndexTexts.InOrder(_query)).Bind(3, status), found);
        found.Sort(Compare);
        return found.Count > _query.Limit ? found[.._query.Limit] : found;
    }

    /// <summary>The one of the facets asked for that fewest agents have, if it is rare; null = none is.</summary>
    private byte[]? RareFacet()
    {
        (byte[]? rarest, long agents) = (null, IndexPage.RareAgentsMax + 1);
        foreach (string facet in _page.Facets)
        {
            byte[] name = StoredNames.Encode(facet);
            using SqliteStatement row = _database.Prepare(Sql.FacetCount)
                .Bind(1, (long)_query.Kind).BindText(2, _namespace).BindText(3, name).Bind(4, agents);
            row.Step();
            if (row.Int64(0) < agents)
                (rarest, agents) = (name, row.Int64(0));
        }
        return rarest;
    }

    private List<long> UsedStatuses()
    {
        var used = new List<long>();
        long last = -1;
        while (true) // at most once per value of a byte
        {
            using SqliteStatement row = _database.Prepare(Sql.IndexNextStatus).Bind(1, (long)_query.Kind).BindText(2, _namespace).Bind(3, last);
            if (!row.Step() || row.IsNull(0))
                return used;
            used.Add(last = row.Int64(0));
        }
    }

    private byte[]? StatusesJson() =>
        _query.Statuses.IsEmpty ? null : JsonSerializer.SerializeToUtf8Bytes(_query.Statuses.Select(status => (int)status));

    /// <summary>All but ?3 and ?14.</summary>
    private SqliteStatement Bind(string sql)
    {
        return _database.Prepare(sql)
            .Bind(1, (long)_query.Kind)
            .BindText(2, _namespace)
            .Bind(4, _page.BeyondValue)
            .BindText(5, StoredNames.Encode(_page.BeyondName))
            .Bind(6, _page.End)
            .Bind(7, IndexPage.From(_query.StartedFrom))
            .Bind(8, IndexPage.To(_query.StartedTo))
            .Bind(9, IndexPage.From(_query.UpdatedFrom))
            .Bind(10, IndexPage.To(_query.UpdatedTo))
            .BindNullable(11, _query.DueAtMost?.UnixMicroseconds)
            .BindTextOrNull(12, _query.Labels.IsEmpty ? null : JsonSerializer.SerializeToUtf8Bytes(_query.Labels.Select(label => "l" + label)))
            .Bind(13, _query.Limit)
            .BindTextOrNull(15, _query.Group is null ? null : StoredNames.Encode(_query.Group));
    }

    private void Take(SqliteStatement rows, List<IndexedAgent> found)
    {
        using SqliteStatement row = rows;
        while (row.Step())
            found.Add(IndexRowReader.Decode(row, _query.Kind, _query.Namespace));
    }

    private int Compare(IndexedAgent left, IndexedAgent right)
    {
        int ascending = OrderingValue(left).CompareTo(OrderingValue(right));
        if (ascending == 0)
            ascending = StoredNames.Encode(left.Agent.Name).AsSpan().SequenceCompareTo(StoredNames.Encode(right.Agent.Name));
        return _query.Descending ? -ascending : ascending;
    }

    private CommitTime OrderingValue(IndexedAgent agent) => _query.Order switch
    {
        IndexOrder.Started => agent.Row.StartedAt,
        IndexOrder.Updated => agent.UpdatedAt,
        _ => agent.Row.DueAt!.Value,
    };
}

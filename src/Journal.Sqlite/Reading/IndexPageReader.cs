using System.Collections.Immutable;
using System.Text.Json;

namespace Statehouse.Journal.Sqlite.Reading;

/// <summary>
/// Finds agents by their index rows. Either along the index of the order asked for, status by status; or, where a group
/// or a label is asked for that few agents have, by looking at those.
/// </summary>
internal sealed class IndexPageReader
{
    /// <summary>A facet with no more agents than this is rare: to look at all of them costs a few milliseconds.</summary>
    private const int RareAgentsMax = 2_000;

    private readonly SqliteDatabase _database;
    private readonly IndexQuery _query;
    private readonly byte[] _namespace;
    private readonly ImmutableArray<string> _facets;

    private IndexPageReader(SqliteDatabase database, IndexQuery query)
    {
        _database = database;
        _query = query;
        _namespace = StoredNames.Encode(query.Namespace);
        _facets = Facets.Of(query.Group, query.Labels);
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
            counts.Add(checked((byte)row.Int64(0)), row.Int64(1));
        return counts;
    }

    private List<IndexedAgent> Read()
    {
        var found = new List<IndexedAgent>();
        if (RareFacet() is { } rare)
        {
            Take(Bind(IndexTexts.ByFacet(_query)).BindTextOrNull(3, StatusesJson()).BindText(14, rare), found);
            return found;
        }
        foreach (long status in _query.Statuses.IsEmpty ? UsedStatuses() : [.. _query.Statuses.Distinct().Select(status => (long)status)])
            Take(Bind(IndexTexts.InOrder(_query)).Bind(3, status), found);
        found.Sort(Compare);
        return found.Count > _query.Limit ? found[.._query.Limit] : found;
    }

    /// <summary>The one of the facets asked for that fewest agents have, if it is rare; null = none is.</summary>
    private byte[]? RareFacet()
    {
        (byte[]? rarest, long agents) = (null, RareAgentsMax + 1);
        foreach (string facet in _facets)
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
        ((long value, byte[] name), long end) = Page();
        return _database.Prepare(sql)
            .Bind(1, (long)_query.Kind)
            .BindText(2, _namespace)
            .Bind(4, value)
            .BindText(5, name)
            .Bind(6, end)
            .Bind(7, From(_query.StartedFrom))
            .Bind(8, To(_query.StartedTo))
            .Bind(9, From(_query.UpdatedFrom))
            .Bind(10, To(_query.UpdatedTo))
            .BindNullable(11, _query.DueAtMost?.UnixMicroseconds)
            .BindTextOrNull(12, _facets.IsEmpty ? null : JsonSerializer.SerializeToUtf8Bytes(_facets))
            .Bind(13, _query.Limit);
    }

    /// <summary>Beyond which value and name the page begins, and where the ordering value ends.</summary>
    private ((long Value, byte[] Name) Begin, long End) Page()
    {
        (long from, long to) = _query.Order switch
        {
            IndexOrder.Started => (From(_query.StartedFrom), To(_query.StartedTo)),
            IndexOrder.Updated => (From(_query.UpdatedFrom), To(_query.UpdatedTo)),
            _ => (long.MinValue, _query.DueAtMost is { UnixMicroseconds: < long.MaxValue } most ? most.UnixMicroseconds + 1 : long.MaxValue),
        };
        // No name is empty: beyond (value, "") lies all of that value upwards, and nothing of it downwards.
        (long Value, byte[] Name) begin = (_query.Descending ? to : from, []);
        if (_query.After is { } after)
        {
            (long Value, byte[] Name) cursor = (after.Value.UnixMicroseconds, StoredNames.Encode(after.Name));
            if (_query.Descending ? cursor.Value < begin.Value : cursor.Value >= begin.Value)
                begin = cursor;
        }
        return (begin, _query.Descending ? from : to);
    }

    private static long From(CommitTime? from) => from?.UnixMicroseconds ?? long.MinValue;

    private static long To(CommitTime? to) => to?.UnixMicroseconds ?? long.MaxValue;

    private void Take(SqliteStatement rows, List<IndexedAgent> found)
    {
        using SqliteStatement row = rows;
        while (row.Step())
        {
            found.Add(new IndexedAgent(
                new AgentId(_query.Kind, _query.Namespace, StoredNames.Decode(row.Bytes(0))),
                new AgentVersion(row.Int64(1)),
                new CommitTime(row.Int64(2)),
                new IndexRow(
                    checked((byte)row.Int64(3)),
                    StoredNames.Decode(row.Bytes(4)),
                    Facets.Labels(row.Bytes(5)),
                    new CommitTime(row.Int64(6)),
                    row.IsNull(7) ? null : new CommitTime(row.Int64(7)),
                    row.Bytes(8).ToArray())));
        }
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

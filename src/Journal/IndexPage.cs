namespace Statehouse.Journal;

/// <summary>
/// What both stores make of an index query: where in its order a page begins and ends, and the facets (group and
/// labels) by which its agents can be looked up where they are rare.
/// </summary>
public sealed class IndexPage
{
    /// <summary>A facet with no more agents than this is rare: to look at all of them costs a few milliseconds.</summary>
    public const int RareAgentsMax = 2_000;

    public IndexPage(IndexQuery query)
    {
        (long from, long to) = query.Order switch
        {
            IndexOrder.Started => (From(query.StartedFrom), To(query.StartedTo)),
            IndexOrder.Updated => (From(query.UpdatedFrom), To(query.UpdatedTo)),
            _ => (long.MinValue, query.DueAtMost is { UnixMicroseconds: < long.MaxValue } most ? most.UnixMicroseconds + 1 : long.MaxValue),
        };
        // No name is empty: beyond (value, "") lies all of that value upwards, and nothing of it downwards.
        (BeyondValue, BeyondName) = (query.Descending ? to : from, "");
        End = query.Descending ? from : to;
        if (query.After is { } after && (query.Descending ? after.Value.UnixMicroseconds < to : after.Value.UnixMicroseconds >= from))
            (BeyondValue, BeyondName) = (after.Value.UnixMicroseconds, after.Name);
        Facets = FacetsOf(query.Group, query.Labels);
    }

    /// <summary>The page holds what lies beyond this value and name, in the query's direction.</summary>
    public long BeyondValue { get; }

    public string BeyondName { get; }

    /// <summary>The ordering value at which it ends: exclusive upwards, inclusive downwards.</summary>
    public long End { get; }

    /// <summary>Each agent found has all of these.</summary>
    public IReadOnlyList<string> Facets { get; }

    /// <summary>Microseconds; no bound = the least.</summary>
    public static long From(CommitTime? from) => from?.UnixMicroseconds ?? long.MinValue;

    /// <summary>Microseconds; no bound = the greatest.</summary>
    public static long To(CommitTime? to) => to?.UnixMicroseconds ?? long.MaxValue;

    /// <summary>A group and labels as one set, told apart by their first letter.</summary>
    public static IReadOnlyList<string> FacetsOf(string? group, IEnumerable<string> labels)
    {
        IEnumerable<string> facets = labels.Select(label => "l" + label);
        return group is null ? [.. facets] : [.. facets.Prepend("g" + group)];
    }
}

namespace Statehouse.Journal.Sqlite;

/// <summary>The index queries: for each order and direction one static text, made once from one file each.</summary>
internal static class IndexTexts
{
    private static readonly string[] InOrderTexts = All("index-in-order");
    private static readonly string[] ByFacetTexts = All("index-by-facet");

    public static string InOrder(IndexQuery query) => InOrderTexts[Place(query.Order, query.Descending)];

    public static string ByFacet(IndexQuery query) => ByFacetTexts[Place(query.Order, query.Descending)];

    private static int Place(IndexOrder order, bool descending) => 2 * (int)order + (descending ? 1 : 0);

    private static string[] All(string name) =>
        [.. Enum.GetValues<IndexOrder>().SelectMany(order => new[] { Text(name, order, false), Text(name, order, true) })];

    private static string Text(string name, IndexOrder order, bool descending) => Sql.Statement(name)
        .Replace("{column}", order switch { IndexOrder.Started => "started_at", IndexOrder.Updated => "updated_at", _ => "due_at" }, StringComparison.Ordinal)
        .Replace("{direction}", descending ? "desc" : "asc", StringComparison.Ordinal)
        .Replace("{beyond}", descending ? "<" : ">", StringComparison.Ordinal)
        .Replace("{within}", descending ? ">=" : "<", StringComparison.Ordinal);
}

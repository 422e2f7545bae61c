using System.Text;

namespace Statehouse.Journal.Postgres;

/// <summary>The texts of sql/journal/postgres and sql/orleans-schema, as built into this assembly.</summary>
internal static class SqlText
{
    public static readonly string Append = Query("append");
    public static readonly string AppendIndexed = Query("append_indexed");
    public static readonly string AppendUnits = Query("append_units");
    public static readonly string AppendUnitsIndexed = Query("append_units_indexed");
    public static readonly string CountIndex = Query("count_index");
    public static readonly string CutCandidates = Query("cut_candidates");
    public static readonly string CutDetails = Query("cut_details");
    public static readonly string DeleteAgents = Query("delete_agents");
    public static readonly string DeleteSnapshots = Query("delete_snapshots");
    public static readonly string Durability = Query("durability");
    public static readonly string FeedEnd = Query("feed_end");
    public static readonly string FeedPage = Query("feed_page");
    public static readonly string FeedWindow = Query("feed_window");
    public static readonly string FindVersion = Query("find_version");
    public static readonly string ListAgents = Query("list_agents");
    public static readonly string ListAgentsBySnapshots = Query("list_agents_by_snapshots");
    public static readonly string ListSnapshots = Query("list_snapshots");
    public static readonly string MigrationApplied = Query("migration_applied");
    public static readonly string MigrationLimits = Query("migration_limits");
    public static readonly string MigrationLock = Query("migration_lock");
    public static readonly string MigrationsApplied = Query("migrations_applied");
    public static readonly string MigrationState = Query("migration_state");
    public static readonly string MigrationTable = Query("migration_table");
    public static readonly string NextStreamIds = Query("next_stream_ids");
    public static readonly string Ping = Query("ping");
    private static readonly string QueryIndexTemplate = Query("query_index");
    private static readonly string[] QueryIndexTexts =
        [.. Enum.GetValues<IndexOrder>().SelectMany(order => new[] { QueryIndexText(order, false), QueryIndexText(order, true) })];
    public static readonly string ReadBackward = Query("read_backward");
    public static readonly string ReadForward = Query("read_forward");
    public static readonly string ReadHead = Query("read_head");
    public static readonly string ReadHeadByName = Query("read_head_by_name");
    public static readonly string ReadSnapshot = Query("read_snapshot");
    public static readonly string Session = Query("session");
    public static readonly string WriteSnapshot = Query("write_snapshot");

    /// <summary>One of six texts, made once from one file: an ordering column cannot be a parameter.</summary>
    public static string QueryIndex(IndexOrder order, bool descending) => QueryIndexTexts[2 * (int)order + (descending ? 1 : 0)];

    /// <summary>The files of a folder, by name.</summary>
    /// <param name="folder">Ends with a slash.</param>
    public static IEnumerable<string> Names(string folder) =>
        typeof(SqlText).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(folder, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    public static string Read(string resource)
    {
        using Stream stream = typeof(SqlText).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"{resource} was not built into the assembly.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        // A checkout may translate line ends; a migration's checksum must not depend on that.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static string QueryIndexText(IndexOrder order, bool descending) => QueryIndexTemplate
        .Replace("{column}", order switch { IndexOrder.Started => "started_at", IndexOrder.Updated => "updated_at", _ => "due_at" }, StringComparison.Ordinal)
        .Replace("{direction}", descending ? "desc" : "asc", StringComparison.Ordinal)
        .Replace("{beyond}", descending ? "<" : ">", StringComparison.Ordinal);

    private static string Query(string name) => Read($"queries/{name}.sql");
}

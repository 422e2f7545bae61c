using System.Security.Cryptography;
using System.Text;

namespace Statehouse.Journal.Sqlite;

/// <summary>All SQL there is: the files of sql/journal/sqlite, each a static text.</summary>
internal static class Sql
{
    public static readonly string MigrationTable = Statement("migration-table");
    public static readonly string MigrationList = Statement("migration-list");
    public static readonly string MigrationAdd = Statement("migration-add");
    public static readonly string NewDatabase = Statement("new-database");
    public static readonly string ConfigureWriter = Statement("configure-writer");
    public static readonly string ConfigureReader = Statement("configure-reader");

    public static readonly string PageCount = Statement("page-count");
    public static readonly string PageSize = Statement("page-size");

    public static readonly string Begin = Statement("begin");
    public static readonly string BeginRead = Statement("begin-read");
    public static readonly string Commit = Statement("commit");
    public static readonly string Rollback = Statement("rollback");
    public static readonly string SavepointUnit = Statement("savepoint-unit");
    public static readonly string ReleaseUnit = Statement("release-unit");
    public static readonly string RollbackUnit = Statement("rollback-unit");
    public static readonly string ProbeWrite = Statement("probe-write");

    public static readonly string StreamFind = Statement("stream-find");
    public static readonly string StreamCreate = Statement("stream-create");
    public static readonly string StreamAdvance = Statement("stream-advance");
    public static readonly string StreamExtent = Statement("stream-extent");
    public static readonly string StreamHead = Statement("stream-head");
    public static readonly string StreamList = Statement("stream-list");
    public static readonly string StreamAll = Statement("stream-all");
    public static readonly string StreamExists = Statement("stream-exists");
    public static readonly string StreamDelete = Statement("stream-delete");
    public static readonly string HighWaterRaise = Statement("high-water-raise");

    public static readonly string CommitInsert = Statement("commit-insert");
    public static readonly string CommitCut = Statement("commit-cut");
    public static readonly string JournalDelete = Statement("journal-delete");
    public static readonly string CommitsForward = Statement("commits-forward");
    public static readonly string CommitsBackward = Statement("commits-backward");
    public static readonly string CommitMoment = Statement("commit-moment");
    public static readonly string CommitHash = Statement("commit-hash");
    public static readonly string Feed = Statement("feed");
    public static readonly string FeedEnd = Statement("feed-end");

    public static readonly string SnapshotsDown = Statement("snapshots-down");
    public static readonly string SnapshotVersions = Statement("snapshot-versions");
    public static readonly string SnapshotWrite = Statement("snapshot-write");
    public static readonly string SnapshotDelete = Statement("snapshot-delete");
    public static readonly string SnapshotDeleteAll = Statement("snapshot-delete-all");

    public static readonly string IndexWrite = Statement("index-write");
    public static readonly string IndexRow = Statement("index-row");
    public static readonly string IndexDelete = Statement("index-delete");
    public static readonly string IndexFacets = Statement("index-facets");
    public static readonly string IndexCount = Statement("index-count");
    public static readonly string IndexNextStatus = Statement("index-next-status");
    public static readonly string FacetAdd = Statement("facet-add");
    public static readonly string FacetDelete = Statement("facet-delete");
    public static readonly string FacetCount = Statement("facet-count");

    public static readonly string CheckStructure = Statement("check-structure");
    public static readonly string CheckOrphans = Statement("check-orphans");

    /// <summary>All migrations that this binary knows: 1, 2, 3, …</summary>
    public static readonly IReadOnlyList<Migration> Migrations = LoadMigrations();

    /// <summary>The text of a file. Statements are found by reference: keep what this returns.</summary>
    public static string Statement(string name) => Encoding.UTF8.GetString(Resource("statements/" + name));

    private static Migration[] LoadMigrations()
    {
        const string Folder = "migrations/";
        string[] names =
        [
            .. typeof(Sql).Assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
                .Select(name => name[Folder.Length..])
                .Order(StringComparer.Ordinal),
        ];
        return [.. names.Select((name, i) => new Migration(i + 1, name, Resource(Folder + name)))];
    }

    private static byte[] Resource(string name)
    {
        using Stream stream = typeof(Sql).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The SQL text {name} is not built into this assembly.");
        byte[] text = new byte[stream.Length];
        stream.ReadExactly(text);
        return text;
    }
}

/// <summary>One numbered step of the schema.</summary>
/// <param name="Number">1, 2, 3, … in the order of the file names.</param>
/// <param name="Name">The file's name without its extension, for instance <c>0001-journal</c>.</param>
/// <param name="Utf8">Its text.</param>
internal sealed record Migration(int Number, string Name, byte[] Utf8)
{
    public string Text { get; } = Encoding.UTF8.GetString(Utf8);

    /// <summary>SHA-256 of the file: what an applied migration is recognised by.</summary>
    public byte[] Checksum { get; } = SHA256.HashData(Utf8);
}

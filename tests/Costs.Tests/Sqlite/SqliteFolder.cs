using Statehouse.Journal;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Costs.Tests.Sqlite;

/// <summary>A data directory whose SQLite connections are all watched.</summary>
internal sealed class SqliteFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SqliteFolder() => SqliteTap.Install();

    public string Path => _folder.Path;

    /// <summary>The agents of a process that has just opened the directory.</summary>
    public async Task<AgentsUnderTest> OpenAsync(long snapshotTailBytesMin = long.MaxValue) => new(
        await SqliteJournalStore.OpenAsync(new SqliteJournalOptions { DataDirectory = Path }, SilentOperatorLog.Instance, default),
        snapshotTailBytesMin);

    /// <summary>What SQLite does while something runs; nothing else may be running.</summary>
    public static async Task<SqliteCounts> CountAsync(Func<Task> work)
    {
        SqliteTap.Take();
        await work();
        return SqliteTap.Take();
    }

    public void Dispose() => _folder.Dispose();
}

using Statehouse.Journal;
using Statehouse.Journal.Postgres;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Bench.Store;

/// <summary>A store of the caller's choice; SQLite's in a directory that goes with it.</summary>
internal sealed class BenchStore : IAsyncDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("statehouse-bench-");

    public IJournalStore Store { get; private set; } = null!;

    public IAgentIndex Index => (IAgentIndex)Store;

    public IJournalRetention Retention => (IJournalRetention)Store;

    /// <summary>The database file of SQLite; PostgreSQL has none of its own.</summary>
    public FileInfo File => new(Path.Combine(_data.FullName, "journal.db"));

    public static async Task<BenchStore> OpenAsync(string journal, string? postgres)
    {
        var bench = new BenchStore();
        bench.Store = journal == "postgres"
            ? await PostgresJournalStore.OpenAsync(
                new PostgresJournalOptions { ConnectionString = postgres!, CommandTimeout = TimeSpan.FromMinutes(1) }, SilentOperatorLog.Instance, default)
            : await SqliteJournalStore.OpenAsync(
                new SqliteJournalOptions { DataDirectory = bench._data.FullName }, SilentOperatorLog.Instance, default);
        return bench;
    }

    /// <summary>Writes one run per agent, in batches.</summary>
    public async Task WriteAsync(IEnumerable<AppendRun> runs, int batch)
    {
        foreach (AppendRun[] chunk in runs.Chunk(batch))
        {
            AppendUnit[] units = Array.ConvertAll(chunk, run => new AppendUnit([run]));
            await Store.WriteAsync(units, default);
            if (Array.Exists(units, unit => unit.Outcome != AppendOutcome.Appended))
                throw new InvalidOperationException("An append conflicted: is the database empty?");
        }
    }

    /// <summary>Closes SQLite's store, so that all of it is in the file.</summary>
    public async Task<long> CloseAndMeasureAsync()
    {
        await Store.DisposeAsync();
        File.Refresh();
        return File.Length;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        _data.Delete(recursive: true);
    }
}

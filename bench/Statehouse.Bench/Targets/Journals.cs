using Npgsql;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Bench.Measuring;
using Statehouse.Journal;
using Statehouse.Journal.GroupCommit;
using Statehouse.Journal.Postgres;
using Statehouse.Journal.Sqlite;
using Statehouse.Testing;

namespace Statehouse.Bench.Targets;

internal enum JournalKind
{
    Sqlite,
    Postgres,
}

/// <summary>One journal of this run, empty at first: a folder for SQLite, or a database of the run's PostgreSQL server.</summary>
/// <param name="Kind">Which store.</param>
/// <param name="Folder">The data directory of SQLite; also a server's working folder.</param>
/// <param name="Postgres">Connection string; null for SQLite.</param>
/// <param name="PostgresProcess">The database server's process; null for SQLite.</param>
internal sealed record JournalPlace(JournalKind Kind, string Folder, string? Postgres, int? PostgresProcess)
{
    private const int PageSize = 1000;

    public string Name => Kind == JournalKind.Sqlite ? "SQLite" : "PostgreSQL";

    public string DataFolder => Path.Combine(Folder, "data");

    /// <summary>The flags by which the single-node server uses it.</summary>
    public IEnumerable<string> ServerFlags => Kind == JournalKind.Sqlite
        ? ["--data", DataFolder]
        : ["--data", DataFolder, "--journal", "postgres", "--postgres", Postgres!];

    public async Task<IJournalStore> OpenStoreAsync() => Kind == JournalKind.Sqlite
        ? await SqliteJournalStore.OpenAsync(new SqliteJournalOptions { DataDirectory = DataFolder }, SilentOperatorLog.Instance, default)
        : await PostgresJournalStore.OpenAsync(
            new PostgresJournalOptions { ConnectionString = Postgres! }, SilentOperatorLog.Instance, default);

    /// <summary>Commits of the load's namespace: the versions that its agents stand at.</summary>
    public async Task<long> CountCommitsAsync()
    {
        await using IJournalStore store = await OpenStoreAsync();
        return await CountCommitsAsync(store);
    }

    public static async Task<long> CountCommitsAsync(IJournalStore store)
    {
        long commits = 0;
        IReadOnlyList<JournalHead> page;
        string? after = null;
        do
        {
            page = await store.ListAgentsAsync(AgentKind.Agent, Names.Namespace, "", after, PageSize, default);
            commits += page.Sum(head => head.Version.Value);
            after = page.Count == 0 ? null : page[^1].Agent.Name;
        }
        while (page.Count == PageSize);
        return commits;
    }

    /// <summary>SQLite: the database and its write-ahead file. PostgreSQL: the database; its write-ahead log is every database's.</summary>
    public async Task<long> DiskBytesAsync()
    {
        if (Kind == JournalKind.Sqlite)
            return new DirectoryInfo(DataFolder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        await PostgresCluster.ExecuteAsync(Postgres!, "checkpoint");
        return await PostgresCluster.QueryAsync<long>(Postgres!, "select pg_database_size(current_database())");
    }

    /// <summary>Where it can be had at all, and promises what it should.</summary>
    public static async Task RequireDurableAsync(string postgres)
    {
        foreach (string setting in (string[])["fsync", "synchronous_commit", "full_page_writes"])
        {
            string value = await PostgresCluster.QueryAsync<string>(postgres, $"select current_setting('{setting}')");
            if (value != "on")
                throw new BenchFailure($"PostgreSQL runs with {setting} = {value}: what it acknowledges is not durable, and no figure of it counts.");
        }
        NpgsqlConnection.ClearAllPools();
    }
}

/// <summary>A journal opened in this process, with its agents.</summary>
internal sealed class OpenedAgents : IAsyncDisposable
{
    private readonly GroupCommitJournal _journal;

    private OpenedAgents(IJournalStore store, LocalAgentsOptions options)
    {
        Store = store;
        _journal = new GroupCommitJournal(store, new GroupCommitOptions(), SilentOperatorLog.Instance);
        Agents = new LocalAgents(_journal, options, Limits.Default, TimeProvider.System, SilentOperatorLog.Instance);
    }

    public IJournalStore Store { get; }

    public LocalAgents Agents { get; }

    public static async Task<OpenedAgents> OpenAsync(JournalPlace place, LocalAgentsOptions? options = null) =>
        new(await place.OpenStoreAsync(), options ?? new LocalAgentsOptions());

    public async ValueTask DisposeAsync()
    {
        await Agents.DisposeAsync();
        await _journal.DisposeAsync();
    }
}

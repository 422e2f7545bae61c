using Npgsql;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>A test with a database of its own, and what only PostgreSQL's tests do to it.</summary>
public abstract class PostgresFixture : IAsyncLifetime
{
    private readonly List<IJournalStore> _stores = [];
    private string? _database;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected CollectingOperatorLog OperatorLog { get; } = new();

    /// <summary>Its connection string, as the superuser.</summary>
    protected string Database => _database ?? throw new InvalidOperationException("There is no database yet.");

    private protected PostgresCluster Cluster { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        Cluster = await ChooseClusterAsync();
        _database = await Cluster.CreateDatabaseAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (IJournalStore store in _stores)
            await store.DisposeAsync();
        if (_database is not null)
            await ReleaseClusterAsync(Cluster, _database);
        GC.SuppressFinalize(this);
    }

    /// <summary>The cluster of all tests, unless the test would break it for them.</summary>
    private protected virtual Task<PostgresCluster> ChooseClusterAsync() => PostgresCluster.SharedAsync();

    private protected virtual Task ReleaseClusterAsync(PostgresCluster cluster, string database) => cluster.DropDatabaseAsync(database);

    /// <summary>Another process's store on the test's database; closed with the test.</summary>
    protected async Task<PostgresJournalStore> OpenAsync(Func<PostgresJournalOptions, PostgresJournalOptions>? adjust = null)
    {
        var options = new PostgresJournalOptions { ConnectionString = Database };
        PostgresJournalStore store = await PostgresJournalStore.OpenAsync(adjust?.Invoke(options) ?? options, OperatorLog, Cancellation);
        _stores.Add(store);
        return store;
    }

    protected static async Task AppendAsync(IJournalStore store, Commits agent, int count = 1)
    {
        AppendUnit unit = agent.NextUnit(count);
        await store.WriteAsync([unit], Cancellation);
        Assert.Equal(AppendOutcome.Appended, unit.Outcome);
        agent.Acknowledge(unit.Runs[0]);
    }

    /// <summary>The journal is whole, chains from its first commit to its head, and holds what was acknowledged.</summary>
    protected static async Task<IReadOnlyList<JournalCommit>> VerifyAsync(IJournalStore store, Commits agent)
    {
        var handle = new JournalHandle(agent.Agent);
        List<JournalCommit> commits = await store
            .ReadForwardAsync(handle, new AgentVersion(1), new AgentVersion(long.MaxValue), Cancellation).ToListAsync(Cancellation);
        CommitHash hash = CommitHash.Genesis(agent.Agent);
        foreach (JournalCommit commit in commits)
        {
            hash = CommitHash.Chain(hash, commit.Version, commit.Time, commit.TxnId, commit.Body.Span);
            Assert.Equal(hash, commit.Hash);
        }
        Assert.Equal(commits.Count == 0 ? null : hash, (await store.ReadHeadAsync(handle, Cancellation))?.Hash);
        Assert.Equal(
            agent.Acknowledged.Select(c => (c.Version, c.CommitTs, c.Hash)),
            commits.Take(agent.Acknowledged.Count).Select(c => (c.Version, c.CommitTs, c.Hash)));
        return commits;
    }

    protected Task ExecuteAsync(string sql) => PostgresCluster.ExecuteAsync(Database, sql);

    /// <summary>A session with an open transaction that holds an agent's row.</summary>
    protected async Task<NpgsqlConnection> HoldRowAsync(Commits agent)
    {
        NpgsqlConnection session = await PostgresCluster.ConnectAsync(Database);
        await RunAsync(session, $"begin; select 1 from statehouse.stream where name = '{agent.Agent.Name}' for update");
        return session;
    }

    /// <summary>Waits until a session of the store hangs on a lock of somebody else.</summary>
    protected Task WaitUntilAppendIsBlockedAsync() => PostgresCluster.WaitUntilAsync(
        Database,
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%statehouse.append%')",
        "an append waits for a lock");

    protected static async Task RunAsync(NpgsqlConnection session, string sql)
    {
        await using var command = new NpgsqlCommand(sql, session);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}

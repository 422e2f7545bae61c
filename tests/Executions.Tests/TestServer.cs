using Statehouse.Agents.Hosting;
using Statehouse.Journal.GroupCommit;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Executions.Tests;

/// <summary>One server's worth of executions over a folder, below the gateway.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly GroupCommitJournal _journal;
    private readonly TimeProvider _clock;

    private TestServer(SqliteJournalStore store, TimeProvider clock, Func<IJournalRetention, IJournalRetention> retention)
    {
        _clock = clock;
        _journal = new GroupCommitJournal(store, new GroupCommitOptions(), SilentOperatorLog.Instance);
        Agents = new LocalAgents(_journal, new LocalAgentsOptions(), Limits.Default, clock, SilentOperatorLog.Instance, ExecutionIndex.RowOf);
        Stores = ExecutionStores.Of(store)!;
        Stores = Stores with { Retention = retention(Stores.Retention) };
        Executions = NewService();
    }

    public LocalAgents Agents { get; }

    public ExecutionStores Stores { get; }

    public ExecutionService Executions { get; }

    public static async Task<TestServer> StartAsync(
        string folder, TimeProvider? clock = null, Func<IJournalRetention, IJournalRetention>? retention = null)
    {
        SqliteJournalStore store = await SqliteJournalStore.OpenAsync(
            new SqliteJournalOptions { DataDirectory = folder }, SilentOperatorLog.Instance, TestContext.Current.CancellationToken);
        return new TestServer(store, clock ?? TimeProvider.System, retention ?? (each => each));
    }

    /// <summary>Another gateway of the same agents: it knows nothing of what the first one has seen.</summary>
    /// <param name="agents">What stands in for them; null = the agents themselves.</param>
    public ExecutionService NewService(IAgents? agents = null) =>
        new(agents ?? Agents, Stores, Limits.Default, new ExecutionOptions(), _clock, SilentOperatorLog.Instance);

    public async ValueTask DisposeAsync()
    {
        await Executions.DisposeAsync();
        await Agents.DisposeAsync();
        await _journal.DisposeAsync();
    }
}

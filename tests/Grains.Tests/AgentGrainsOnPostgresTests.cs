using Statehouse.Agents;
using Statehouse.Agents.Tests.Conformance;
using Statehouse.Journal;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Grains.Tests;

/// <summary>The agents' contract over grains: three silos on PostgreSQL, seen as a gateway sees them.</summary>
public sealed class AgentGrainsOnPostgresTests : AgentStateConformance
{
    private string? _database;
    private TestSilos? _silos;

    protected override IAgents Agents => _silos!.Agents;

    public override async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        _database = await (await PostgresCluster.SharedAsync()).CreateDatabaseAsync();
        _silos = await TestSilos.StartAsync(3, OpenStoreAsync);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_silos is not null)
            await _silos.DisposeAsync();
        if (_database is not null)
            await (await PostgresCluster.SharedAsync()).DropDatabaseAsync(_database);
    }

    protected override async Task RestartAsync()
    {
        await _silos!.DisposeAsync();
        _silos = await TestSilos.StartAsync(3, OpenStoreAsync);
    }

    private async Task<IJournalStore> OpenStoreAsync() => await PostgresJournalStore.OpenAsync(
        new PostgresJournalOptions { ConnectionString = _database! }, SilentOperatorLog.Instance, Cancellation);
}

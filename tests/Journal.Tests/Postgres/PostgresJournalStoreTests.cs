using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

public sealed class PostgresJournalStoreTests : JournalStoreConformance
{
    private string? _database;

    public override async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        await base.InitializeAsync();
    }

    protected override async Task<IJournalStore> OpenStoreAsync()
    {
        _database ??= await (await PostgresCluster.SharedAsync()).CreateDatabaseAsync();
        return await PostgresJournalStore.OpenAsync(
            new PostgresJournalOptions { ConnectionString = _database }, OperatorLog, Cancellation);
    }

    protected override Task DamageSnapshotAsync(AgentId agent, AgentVersion version) => PostgresCluster.ExecuteAsync(
        _database!,
        $"""
        update statehouse.snapshot as t set body = set_byte(body, 0, get_byte(body, 0) # 1)
        from statehouse.stream as s
        where s.stream_id = t.stream_id and s.namespace = '{agent.Namespace}' and s.name = '{agent.Name}' and t.version = {version}
        """);

    protected override async Task DropDatabaseAsync()
    {
        if (_database is not null)
            await (await PostgresCluster.SharedAsync()).DropDatabaseAsync(_database);
    }
}

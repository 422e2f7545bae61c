using Microsoft.Extensions.DependencyInjection;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Grains.Tests;

/// <summary>Work that must outlive silos: the reminder, and what it does.</summary>
public sealed class MaintenanceTests : IAsyncLifetime
{
    private string? _database;
    private TestSilos? _silos;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        _database = await (await PostgresCluster.SharedAsync()).CreateDatabaseAsync();
        // Snapshots are this test's own.
        _silos = await TestSilos.StartAsync(2, OpenStoreAsync, new LocalAgentsOptions { SnapshotTailBytesMin = 64 << 20 }, maintained: true);
    }

    public async ValueTask DisposeAsync()
    {
        if (_silos is not null)
            await _silos.DisposeAsync();
        if (_database is not null)
            await (await PostgresCluster.SharedAsync()).DropDatabaseAsync(_database);
    }

    [Fact]
    public async Task Snapshots_that_a_dead_silo_left_behind_are_thinned_and_the_newest_stay()
    {
        await using PostgresJournalStore store = await OpenAsync();
        AgentId[] agents = [new("default", "one"), new("other", "two"), new("default", "few")];
        foreach (AgentId agent in agents)
        {
            for (int i = 0; i < 40; i++)
                await _silos!.Agents.Get(agent).CommitAsync(Put("k", $"{i}"));
        }
        foreach (AgentId agent in agents[..2])
            await LeaveSnapshotsAsync(store, agent, Enumerable.Range(1, 40));
        await LeaveSnapshotsAsync(store, agents[2], [10, 20, 30]);

        await TickAsync();

        foreach (AgentId agent in agents[..2])
        {
            IReadOnlyList<AgentVersion> left = await store.ListSnapshotsAsync(new JournalHandle(agent), Cancellation);
            Assert.Equal([37, 38, 39, 40], left.TakeLast(SnapshotPolicy.NewestKept).Select(version => version.Value));
            Assert.True(left.Count < 20, $"{left.Count} of 40 snapshots are left");
            Assert.Empty(SnapshotPolicy.Surplus(left));
        }
        Assert.Equal(3, (await store.ListSnapshotsAsync(new JournalHandle(agents[2]), Cancellation)).Count);
        Assert.Equal("39", await _silos!.Agents.Get(agents[0]).ReadAsync("k"));
    }

    [Fact]
    public async Task One_reminder_is_there_however_many_silos_start_and_go()
    {
        await WaitForReminderAsync();
        await _silos!.AddSiloAsync();
        ReminderTableData rows = await RowsAsync();
        Assert.Equal(MaintenanceGrain.Reminder, Assert.Single(rows.Reminders).ReminderName);
    }

    private async Task TickAsync()
    {
        IGrainFactory grains = _silos!.Cluster.Silos[0].ServiceProvider.GetRequiredService<IGrainFactory>();
        await grains.GetGrain<IMaintenanceGrain>(0).AsReference<IRemindable>().ReceiveReminder(MaintenanceGrain.Reminder, default);
    }

    private static async Task LeaveSnapshotsAsync(PostgresJournalStore store, AgentId agent, IEnumerable<int> versions)
    {
        var handle = new JournalHandle(agent);
        HashSet<long> wanted = [.. versions.Select(version => (long)version)];
        await foreach (JournalCommit commit in store.ReadForwardAsync(handle, new AgentVersion(1), new AgentVersion(long.MaxValue), Cancellation))
        {
            if (wanted.Contains(commit.Version.Value))
                await store.WriteSnapshotAsync(handle, new JournalSnapshot(commit.Version, commit.Hash, new byte[] { 1 }), Cancellation);
        }
    }

    private async Task WaitForReminderAsync()
    {
        for (int i = 0; (await RowsAsync()).Reminders.Count == 0; i++)
        {
            Assert.True(i < 100, "no reminder was registered within 10 s");
            await Task.Delay(100, Cancellation);
        }
    }

    private Task<ReminderTableData> RowsAsync() =>
        _silos!.Cluster.Silos[0].ServiceProvider.GetRequiredService<IReminderTable>().ReadRows(0, 0);

    private async Task<IJournalStore> OpenStoreAsync() => await OpenAsync();

    private async Task<PostgresJournalStore> OpenAsync() => await PostgresJournalStore.OpenAsync(
        new PostgresJournalOptions { ConnectionString = _database! }, SilentOperatorLog.Instance, Cancellation);
}

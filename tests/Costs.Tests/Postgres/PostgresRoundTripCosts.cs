using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Statehouse.Agents;
using Statehouse.Gateway;
using Statehouse.Journal;
using Statehouse.Journal.Postgres;

namespace Statehouse.Costs.Tests.Postgres;

/// <summary>How often PostgreSQL is waited for, counted on the wire.</summary>
public sealed class PostgresRoundTripCosts(QuietCluster cluster) : IAsyncLifetime
{
    private CountingProxy _proxy = null!;
    private AgentsUnderTest _agents = null!;

    public async ValueTask InitializeAsync()
    {
        _proxy = new CountingProxy(await cluster.CreateDatabaseAsync());
        _agents = await QuietCluster.OpenAsync(_proxy.ConnectionString);
        // Opens the connections, and prepares what is prepared.
        await _agents.PutTogetherAsync(["another", "a third"]);
        await _agents.PutAsync("another");
        await _agents.GetAsync("another", consistency: Consistency.Strong);
    }

    public async ValueTask DisposeAsync()
    {
        if (_agents is not null)
            await _agents.DisposeAsync();
        if (_proxy is not null)
            await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task A_commit_is_one_round_trip_and_parses_nothing()
    {
        await _agents.PutAsync("a");
        Assert.Equal(new Traffic(50, 0, 0), await _proxy.CountAsync(() => _agents.PutInTurnAsync("a", 50)));
    }

    [Fact]
    public async Task A_batch_of_100_agents_is_one_round_trip()
    {
        string[] agents = await _agents.CreateAsync(101);
        Assert.Equal(new Traffic(2, 0, 0), await _proxy.CountAsync(() => _agents.PutInTwoBatchesAsync(agents[0], agents[1..])));
    }

    [Fact]
    public async Task A_batch_of_100_commits_of_one_hot_agent_is_one_round_trip()
    {
        await _agents.PutAsync("hot");
        Assert.Equal(new Traffic(2, 0, 0), await _proxy.CountAsync(() => _agents.PutInTwoBatchesAsync("hot", Enumerable.Repeat("hot", 100))));
    }

    [Fact]
    public async Task A_transaction_over_10_agents_is_one_round_trip()
    {
        string[] agents = await _agents.CreateAsync(10);
        Assert.Equal(new Traffic(1, 0, 0), await _proxy.CountAsync(async () => await _agents.PutTogetherAsync(agents)));
    }

    [Fact]
    public async Task The_first_commit_of_an_agent_asks_once_whether_there_is_one()
    {
        Assert.Equal(2, (await _proxy.CountAsync(async () => await _agents.PutAsync("new"))).RoundTrips);
    }

    [Fact]
    public async Task A_read_of_an_agent_in_memory_is_no_round_trip_and_a_strong_one_is_one()
    {
        await _agents.PutInTurnAsync("a", 10);
        Assert.Equal(default, await _proxy.CountAsync(async () =>
        {
            await _agents.GetAsync("a");
            await _agents.ScanAsync("a");
        }));
        Assert.Equal(1, (await _proxy.CountAsync(async () => await _agents.GetAsync("a", consistency: Consistency.Strong))).RoundTrips);
    }

    [Fact]
    public async Task An_agent_with_a_snapshot_is_loaded_in_as_many_round_trips_as_one_without()
    {
        await using (AgentsUnderTest writing = await QuietCluster.OpenAsync(_proxy.ConnectionString, snapshotTailBytesMin: 16 * 1024))
        {
            await writing.PutInTurnAsync("long", 500);
            await writing.PutInTurnAsync("short", 10);
            await writing.PutAsync("warm-up");
        }
        await _agents.GetAsync("warm-up");
        // Where the journal ends, the newest snapshot, where the journal ends (a range is clipped to it), the tail.
        Assert.Equal(4, (await _proxy.CountAsync(async () => await _agents.GetAsync("short"))).RoundTrips);
        Assert.Equal(4, (await _proxy.CountAsync(async () => await _agents.GetAsync("long"))).RoundTrips);
    }

    [Fact]
    public async Task A_server_starts_with_the_same_round_trips_on_10_agents_and_on_10_000()
    {
        await _agents.CreateAsync(10);
        Traffic few = await _proxy.CountAsync(StartAsync);
        await _agents.CreateAsync(10_000);
        Traffic many = await _proxy.CountAsync(StartAsync);
        Assert.Equal(few, many);
        Cost.AtMost("round trips at start", many.RoundTrips, recorded: 9, slack: 1.2);
    }

    private async Task StartAsync()
    {
        IJournalStore store = await PostgresJournalStore.OpenAsync(
            new PostgresJournalOptions { ConnectionString = _proxy.ConnectionString }, SilentOperatorLog.Instance, TestContext.Current.CancellationToken);
        await using SingleNode node = await SingleNode.StartAsync(
            store, Limits.Default, new GatewayOptions { HttpAddress = new IPEndPoint(IPAddress.Loopback, 0), GrpcAddress = new IPEndPoint(IPAddress.Loopback, 0) },
            TimeProvider.System, NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
    }
}

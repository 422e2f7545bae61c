namespace Statehouse.Costs.Tests.Postgres;

/// <summary>What PostgreSQL writes and syncs per commit of one 200-byte value, by its own counters.</summary>
public sealed class PostgresDiskCosts(QuietCluster cluster)
{
    private const string WalPosition = "select pg_current_wal_insert_lsn() - '0/0'";
    private const string WalSyncs = "select wal_sync from pg_stat_wal";
    private const string Room = "select sum(pg_total_relation_size(oid)) from pg_class where relnamespace = 'statehouse'::regnamespace and relkind = 'r'";

    [Fact]
    public async Task A_commit_alone_in_its_batch_is_one_fsync()
    {
        string database = await cluster.CreateDatabaseAsync();
        Assert.SkipWhen(
            await QuietCluster.AskAsync(database, "select current_setting('server_version_num')::int") >= 180_000,
            "From PostgreSQL 18 on, pg_stat_wal no longer counts fsyncs.");
        await WriteAsync(database, 1);
        long none = await CountAsync(database, WalSyncs, () => WriteAsync(database, 1));
        long syncs = await CountAsync(database, WalSyncs, () => WriteAsync(database, 201)) - none;
        // Exactly one each, but for what the server's own processes sync in that time: measured 200.
        Cost.AtMost("fsyncs per commit", syncs / 200.0, recorded: 1, slack: 1.05);
        // The server may have synced one or two of its own while nothing was committed, and those were taken off.
        Assert.True(syncs >= 197, $"{syncs} fsyncs for 200 commits: some were acknowledged without one.");
    }

    [Fact]
    public async Task A_commit_alone_in_its_batch_writes_little_more_to_the_WAL_than_it_holds()
    {
        string database = await cluster.CreateDatabaseAsync();
        await using AgentsUnderTest agents = await QuietCluster.OpenAsync(database);
        await agents.PutInTurnAsync("a", 100);
        long bytes = await CountAsync(database, WalPosition, () => agents.PutInTurnAsync("a", 400));
        Cost.AtMost("bytes of WAL per commit", bytes / 400.0, recorded: 725, slack: 1.05);
    }

    [Fact]
    public async Task A_commit_in_a_batch_of_500_agents_writes_no_more_to_the_WAL_than_it_did()
    {
        string database = await cluster.CreateDatabaseAsync();
        await using AgentsUnderTest agents = await QuietCluster.OpenAsync(database);
        string[] names = await agents.CreateAsync(501);
        long bytes = await CountAsync(database, WalPosition, () => agents.PutInTwoBatchesAsync(names[0], names[1..]));
        // More than the commits of one agent, whose rows stand side by side.
        Cost.AtMost("bytes of WAL per commit of a batch", bytes / 501.0, recorded: 855, slack: 1.05);
    }

    [Fact]
    public async Task A_commit_takes_little_more_room_in_the_tables_than_it_holds()
    {
        string database = await cluster.CreateDatabaseAsync();
        await using AgentsUnderTest agents = await QuietCluster.OpenAsync(database);
        string[] names = await agents.CreateAsync(100);
        long bytes = await CountAsync(database, Room, async () =>
        {
            for (int round = 0; round < 50; round++)
                await Task.WhenAll(names.Select(name => agents.PutAsync(name).AsTask()));
        });
        Cost.AtMost("bytes in the tables per commit", bytes / 5_000.0, recorded: 464, slack: 1.05);
    }

    /// <summary>Opens, commits, closes: a session's counters reach the server's when it ends.</summary>
    private static async Task WriteAsync(string database, int commits)
    {
        await using AgentsUnderTest agents = await QuietCluster.OpenAsync(database);
        await agents.PutInTurnAsync("a", commits);
    }

    private static async Task<long> CountAsync(string database, string counter, Func<Task> work)
    {
        long before = await QuietCluster.AskAsync(database, counter);
        await work();
        return await QuietCluster.AskAsync(database, counter) - before;
    }
}

using Npgsql;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>The whole server dies, stops or is full. Each test has a cluster of its own.</summary>
public sealed class PostgresServerFaultTests : PostgresFixture
{
    private const int ConnectionsMax = 12;

    private protected override Task<PostgresCluster> ChooseClusterAsync() =>
        PostgresCluster.StartNewAsync($"max_connections = {ConnectionsMax}", "superuser_reserved_connections = 1");

    private protected override async Task ReleaseClusterAsync(PostgresCluster cluster, string database) => await cluster.DisposeAsync();

    [Fact]
    public async Task Server_killed_under_load_every_acknowledged_commit_is_there_and_every_chain_is_whole()
    {
        PostgresJournalStore store = await OpenAsync();
        Commits[][] writers = [.. Enumerable.Range(0, 2).Select(w => Enumerable.Range(0, 20).Select(i => new Commits($"agent-{w}-{i}")).ToArray())];
        for (int round = 0; round < 3; round++)
        {
            using var enough = new CountdownEvent(60);
            Task[] writing = [.. writers.Select(agents => Task.Run(() => WriteUntilItFailsAsync(store, agents, enough), Cancellation))];
            await Task.Run(() => enough.Wait(TimeSpan.FromSeconds(30), Cancellation), Cancellation);
            await Cluster.KillAsync();
            await Task.WhenAll(writing);
            await Cluster.StartAsync();

            foreach (Commits agent in writers.SelectMany(agents => agents))
                await TakeOverAsync(store, agent);
            await Commits.AssertIndexMatchesAsync(store, [.. writers.SelectMany(agents => agents).Select(agent => agent.Agent)], Cancellation);
        }
        Assert.All(writers.SelectMany(agents => agents), agent => Assert.True(agent.Version.Value > 3, $"{agent.Agent} hardly took part."));
    }

    [Fact]
    public async Task Server_stopped_calls_fail_within_their_bound_and_the_open_store_works_after_the_restart()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        await AppendAsync(store, agent);

        await Cluster.StopAsync();
        for (int i = 0; i < 2; i++)
        {
            await Assert.ThrowsAsync<JournalUnavailableException>(() => store.PingAsync(Cancellation));
            await Assert.ThrowsAsync<JournalUnavailableException>(() => store.WriteAsync([agent.NextUnit()], Cancellation));
            await Assert.ThrowsAsync<JournalUnavailableException>(() => store.ReadHeadAsync(agent.Handle, Cancellation));
        }
        await Assert.ThrowsAsync<JournalUnavailableException>(() => OpenAsync());
        await Cluster.StartAsync();

        Assert.Single(await VerifyAsync(store, agent));
        await AppendAsync(store, agent);
    }

    [Fact]
    public async Task Server_without_free_connections_nothing_was_written_and_it_works_when_there_are_some()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        await AppendAsync(store, agent);
        List<NpgsqlConnection> hoarded = [];
        await Cluster.TerminateBackendsAsync(Database);
        await Assert.ThrowsAsync<JournalUnavailableException>(() => store.PingAsync(Cancellation));
        await Assert.ThrowsAsync<PostgresException>(async () =>
        {
            while (hoarded.Count <= ConnectionsMax)
                hoarded.Add(await PostgresCluster.ConnectAsync(Database));
        });

        var error = await Assert.ThrowsAsync<JournalUnavailableException>(() => store.WriteAsync([agent.NextUnit()], Cancellation));
        Assert.Contains("53300", error.Message, StringComparison.Ordinal);
        foreach (NpgsqlConnection connection in hoarded)
            await connection.DisposeAsync();
        await PostgresCluster.WaitUntilAsync(
            Cluster.ConnectionString(), "select count(*) <= 2 from pg_stat_activity where backend_type = 'client backend'", "the hoarded connections are gone");

        Assert.Single(await VerifyAsync(store, agent));
        await AppendAsync(store, agent);
    }

    private static async Task WriteUntilItFailsAsync(IJournalStore store, Commits[] agents, CountdownEvent enough)
    {
        try
        {
            for (int round = 0; ; round++)
            {
                AppendUnit[] batch = round % 4 == 3
                    ? [.. agents.Chunk(5).Select(Together)]
                    : [.. agents.Select(agent => agent.NextUnit(1 + round % 3))];
                batch = Array.ConvertAll(batch, Commits.Indexed);
                await store.WriteAsync(batch, Cancellation);
                foreach (AppendRun run in batch.SelectMany(unit => unit.Runs))
                    agents.Single(agent => agent.Agent == run.Handle.Agent).Acknowledge(run);
                if (!enough.IsSet)
                    enough.Signal();
            }
        }
        catch (StatehouseException error) when (error.Code is ErrorCode.OutcomeUnknown or ErrorCode.JournalUnavailable)
        {
            // What the caller knows is in the agents; the test compares it with what the disk holds.
        }
    }

    /// <summary>What was acknowledged must be there; at most the batch in flight may be there besides, and then whole.</summary>
    private static async Task TakeOverAsync(IJournalStore store, Commits agent)
    {
        IReadOnlyList<JournalCommit> commits = await VerifyAsync(store, agent);
        Assert.InRange(commits.Count - agent.Acknowledged.Count, 0, 3);
        if (commits.Count == agent.Acknowledged.Count)
            return;
        JournalCommit[] unknown = [.. commits.Skip(agent.Acknowledged.Count)];
        var run = new AppendRun(agent.Handle, agent.Version, agent.Hash, unknown);
        unknown.Select(commit => commit.CommitTs).ToArray().CopyTo(run.CommitTs, 0);
        agent.Acknowledge(run);
    }

    private static AppendUnit Together(Commits[] agents)
    {
        var txnId = Guid.NewGuid();
        return new AppendUnit([.. agents.OrderBy(agent => agent.Agent).Select(agent => agent.Next(txnId))]);
    }
}

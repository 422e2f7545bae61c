using System.Globalization;
using Statehouse.Journal;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Hosting;

public sealed class LocalAgentsOnPostgresTests : StoreHostTests
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
            new PostgresJournalOptions { ConnectionString = _database }, SilentOperatorLog.Instance, Cancellation);
    }

    protected override async Task DropAsync()
    {
        if (_database is not null)
            await (await PostgresCluster.SharedAsync()).DropDatabaseAsync(_database);
    }

    [Fact]
    public async Task A_damaged_commit_of_one_agent_keeps_no_follower_of_another_from_what_another_server_writes()
    {
        await using IJournalStore otherStore = await OpenStoreAsync();
        await using var other = new TestHost(otherStore);
        await Agents.Get(Id("damaged")).CommitAsync(Put("k", "1"));
        await Agents.Get(Id("sound")).CommitAsync(Put("k", "1"));
        await PostgresCluster.ExecuteAsync(_database!, """
            create function public.spoil() returns trigger language plpgsql as $$
            begin
              if new.stream_id = (select stream_id from statehouse.stream where name = 'damaged') then
                new.body := '{}';
              end if;
              return new;
            end $$;
            create trigger spoil before insert on statehouse.journal for each row execute function public.spoil();
            """);
        await using IAsyncEnumerator<JournalCommit> follower =
            other.Agents.Get(Id("sound")).ReplayAsync(AgentVersion.None, follow: true, Cancellation).GetAsyncEnumerator(Cancellation);
        Assert.True(await follower.MoveNextAsync());
        // From here on the other server stands in the feed before what comes now.
        Task<bool> next = follower.MoveNextAsync().AsTask();
        await Agents.Get(Id("sound")).CommitAsync(Put("k", "2"));
        Assert.True(await next.WaitAsync(TimeSpan.FromSeconds(30), Cancellation));

        next = follower.MoveNextAsync().AsTask();
        await Agents.Get(Id("damaged")).CommitAsync(Put("k", "2"));
        await Agents.Get(Id("sound")).CommitAsync(Put("k", "3"));

        Assert.True(await next.WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
        Assert.Equal(3, follower.Current.Version.Value);
    }

    [Fact]
    public async Task Two_servers_on_one_database_keep_transfers_whole_and_every_acknowledged_commit()
    {
        await using IJournalStore otherStore = await OpenStoreAsync();
        await using var other = new TestHost(otherStore);
        IAgents[] servers = [Agents, other.Agents];
        for (int i = 0; i < 3; i++)
            await servers[0].Get(Id($"acct{i}")).CommitAsync(Put("balance", "100"));

        int transfers = 0;
        int conflicts = 0;
        int acknowledged = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(w => Task.Run(async () =>
        {
            var random = new Random(w);
            IAgents server = servers[w % 2];
            for (int i = 0; i < 25; i++)
            {
                int from = random.Next(3);
                int to = (from + 1 + random.Next(2)) % 3;
                KeyState source = await server.Get(Id($"acct{from}")).GetAsync("balance", consistency: Consistency.Strong);
                KeyState target = await server.Get(Id($"acct{to}")).GetAsync("balance", consistency: Consistency.Strong);
                try
                {
                    await server.CommitTogetherAsync(Together(
                        (Id($"acct{from}"), Commit(Put("balance", Sum(source, -1), source.Version.Value))),
                        (Id($"acct{to}"), Commit(Put("balance", Sum(target, 1), target.Version.Value)))), Cancellation);
                    Interlocked.Increment(ref transfers);
                }
                catch (StateConflictException)
                {
                    Interlocked.Increment(ref conflicts);
                }
                try
                {
                    await server.Get(Id("busy")).CommitAsync(Put($"w{w}", $"{i}"));
                    Interlocked.Increment(ref acknowledged);
                }
                catch (StateConflictException)
                {
                    // The other server was always first; it was told, and nothing was written.
                }
            }
        }, Cancellation)));

        long total = 0;
        long commits = 0;
        for (int i = 0; i < 3; i++)
        {
            List<JournalCommit> history = await Agents.Get(Id($"acct{i}")).RefreshedHistoryAsync();
            AssertChain(Id($"acct{i}"), history);
            commits += history.Count - 1;
            KeyState mine = await Agents.Get(Id($"acct{i}")).GetAsync("balance", consistency: Consistency.Strong);
            KeyState theirs = await other.Agents.Get(Id($"acct{i}")).GetAsync("balance", consistency: Consistency.Strong);
            Assert.Equal(mine.Value.ToString(), theirs.Value.ToString());
            total += long.Parse(mine.Value.ToString(), CultureInfo.InvariantCulture);
        }
        Assert.Equal(300, total);
        Assert.Equal(transfers * 2, commits);
        Assert.True(transfers > 0 && conflicts > 0, $"{transfers} transfers, {conflicts} conflicts: the servers did not meet");
        Assert.Equal(acknowledged, (await Agents.Get(Id("busy")).RefreshedHistoryAsync()).Count);
    }

    private static string Sum(KeyState state, long amount) =>
        (long.Parse(state.Value.ToString(), CultureInfo.InvariantCulture) + amount).ToString(CultureInfo.InvariantCulture);
}

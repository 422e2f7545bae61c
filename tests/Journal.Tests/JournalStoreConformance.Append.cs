using System.Security.Cryptography;

namespace Statehouse.Journal.Tests;

public abstract partial class JournalStoreConformance
{
    [Fact]
    public async Task Appended_commits_read_back_byte_for_byte()
    {
        byte[] everyByte = [.. Enumerable.Range(0, 256).Select(b => (byte)b)];
        byte[] everyUtf8Length = "{\"k\":\"\\u0000 a é ߿ ࠀ € \uE000 𐀀 😀 \U0010FFFF \\\" ' \u2028\"}"u8.ToArray();
        byte[] large = RandomNumberGenerator.GetBytes(3 * 1024 * 1024 + 17);
        var agent = new Commits("a");

        await AppendAsync(agent, agent.Next(everyByte, everyUtf8Length, "{}"u8.ToArray(), large, new byte[] { 0 }));
        await AppendAsync(agent, agent.Next(Commits.Body(1, padding: 4096)));

        await AssertJournalIsAsync(agent);
        await ReopenAsync();
        await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task Append_with_a_stale_version_conflicts_and_writes_nothing()
    {
        var agent = new Commits("a");
        await AppendAsync(agent);
        AppendUnit stale = agent.NextUnit();
        await AppendAsync(agent);

        await WriteAsync(stale);

        Assert.Equal(AppendOutcome.Conflict, stale.Outcome);
        await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task Append_on_a_version_that_is_not_there_yet_conflicts_and_writes_nothing()
    {
        var agent = new Commits("a");
        await AppendAsync(agent);
        var early = new AppendUnit([agent.NextExpecting(new AgentVersion(2), agent.Hash)]);

        await WriteAsync(early);

        Assert.Equal(AppendOutcome.Conflict, early.Outcome);
        await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task Append_on_the_right_version_with_another_hash_conflicts_and_writes_nothing()
    {
        var agent = new Commits("a");
        await AppendAsync(agent, 2);
        CommitHash other = CommitHash.Chain(agent.Hash, new AgentVersion(2), agent.Time, Guid.NewGuid(), "{}"u8);
        var forked = new AppendUnit([agent.NextExpecting(new AgentVersion(2), other)]);

        await WriteAsync(forked);

        Assert.Equal(AppendOutcome.Conflict, forked.Outcome);
        await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task Append_above_zero_to_an_agent_without_a_journal_conflicts_and_makes_no_agent()
    {
        var agent = new Commits("a");
        var early = new AppendUnit([agent.NextExpecting(new AgentVersion(1), agent.Hash)]);

        await WriteAsync(early);

        Assert.Equal(AppendOutcome.Conflict, early.Outcome);
        await AssertJournalIsAsync(agent);
        Assert.Empty(await Store.ListAgentsAsync(AgentKind.Agent, "default", "", null, 10, Cancellation));
    }

    [Fact]
    public async Task Creating_an_agent_that_exists_conflicts_and_writes_nothing()
    {
        var agent = new Commits("a");
        var again = new Commits("a");
        await AppendAsync(agent);
        AppendUnit second = again.NextUnit(3);

        await WriteAsync(second);

        Assert.Equal(AppendOutcome.Conflict, second.Outcome);
        await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task A_conflict_leaves_the_other_units_of_its_batch_unhurt()
    {
        Commits[] agents = [.. Enumerable.Range(0, 9).Select(i => new Commits($"agent-{i}"))];
        foreach (Commits agent in agents.Take(6))
            await AppendAsync(agent);
        // Existing and new agents, one and several commits, and a conflict at both ends and in the middle.
        AppendUnit[] batch = [.. agents.Select((agent, i) => i % 4 == 0
            ? new AppendUnit([agent.NextExpecting(new AgentVersion(7), agent.Hash)])
            : agent.NextUnit(1 + i % 3))];

        await WriteAsync(batch);

        for (int i = 0; i < agents.Length; i++)
        {
            Assert.Equal(i % 4 == 0 ? AppendOutcome.Conflict : AppendOutcome.Appended, batch[i].Outcome);
            if (i % 4 != 0)
                agents[i].Acknowledge(batch[i].Runs[0]);
            await AssertJournalIsAsync(agents[i]);
        }
    }

    [Fact]
    public async Task An_owner_that_never_asked_for_its_row_number_can_append()
    {
        var agent = new Commits("a");
        await AppendAsync(agent);
        agent.ForgetHandle();

        await AppendAsync(agent, 2);
        await AppendAsync(agent);

        await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task After_a_conflict_the_owner_reads_the_head_and_appends_on_it()
    {
        var winner = new Commits("a");
        var loser = new Commits("a");
        await AppendAsync(winner);
        AppendUnit refused = loser.NextUnit();
        await WriteAsync(refused);
        Assert.Equal(AppendOutcome.Conflict, refused.Outcome);

        JournalHead? head = await Store.ReadHeadAsync(loser.Handle, Cancellation);
        AppendRun onHead = loser.NextExpecting(head!.Version, head.Hash);
        await WriteAsync(new AppendUnit([onHead]));

        winner.Acknowledge(onHead);
        await AssertJournalIsAsync(winner);
    }

    [Fact]
    public async Task A_batch_of_a_thousand_commits_goes_in_whole()
    {
        Commits[] agents = [.. Enumerable.Range(0, 500).Select(i => new Commits($"agent-{i}"))];
        AppendUnit[] batch = [.. agents.Select(a => a.NextUnit(2))];

        await WriteAsync(batch);

        Assert.All(batch, unit => Assert.Equal(AppendOutcome.Appended, unit.Outcome));
        for (int i = 0; i < agents.Length; i++)
            agents[i].Acknowledge(batch[i].Runs[0]);
        await AssertJournalIsAsync(agents[0]);
        await AssertJournalIsAsync(agents[^1]);
        Assert.Equal(1000, (await ReadFeedToEndAsync()).Count);
    }

    [Fact]
    public async Task Writers_of_different_agents_do_not_disturb_one_another()
    {
        Commits[] agents = [.. Enumerable.Range(0, 8).Select(i => new Commits($"agent-{i}"))];

        await Task.WhenAll(agents.Select(agent => Task.Run(async () =>
        {
            for (int i = 0; i < 25; i++)
                await AppendAsync(agent, 1 + i % 3);
        })));

        foreach (Commits agent in agents)
            await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task Of_many_appends_racing_for_one_version_exactly_one_wins()
    {
        IJournalStore[] stores = await OpenRacersAsync();
        var agent = new Commits("a");
        await AppendAsync(agent);
        for (int round = 0; round < 20; round++)
            agent.Acknowledge(await RaceAsync(stores, agent));

        await AssertJournalIsAsync(agent);
        await CloseRacersAsync(stores);
    }

    [Fact]
    public async Task Of_many_racing_to_create_one_agent_exactly_one_wins()
    {
        IJournalStore[] stores = await OpenRacersAsync();
        for (int round = 0; round < 10; round++)
        {
            var agent = new Commits($"agent-{round}");
            agent.Acknowledge(await RaceAsync(stores, agent));
            await AssertJournalIsAsync(agent);
        }
        await CloseRacersAsync(stores);
    }

    /// <summary>Lets every store append another commit to the same end, and returns the one run that went in.</summary>
    private static async Task<AppendRun> RaceAsync(IJournalStore[] stores, Commits agent)
    {
        // Handles of their own: racing owners share nothing but the database.
        AppendUnit[] units = [.. stores.Select(_ =>
        {
            agent.ForgetHandle();
            return agent.NextUnit();
        })];
        await Task.WhenAll(units.Select((unit, i) => Task.Run(() => stores[i].WriteAsync([unit], Cancellation))));

        AppendUnit winner = Assert.Single(units, unit => unit.Outcome == AppendOutcome.Appended);
        Assert.All(units.Where(unit => unit != winner), unit => Assert.Equal(AppendOutcome.Conflict, unit.Outcome));
        return winner.Runs[0];
    }

    /// <summary>Four racers: further handles where the store is shared, else the one store four times.</summary>
    private async Task<IJournalStore[]> OpenRacersAsync()
    {
        var stores = new IJournalStore[4];
        stores[0] = Store;
        for (int i = 1; i < stores.Length; i++)
            stores[i] = Store.IsShared ? await OpenStoreAsync() : Store;
        return stores;
    }

    private async Task CloseRacersAsync(IJournalStore[] stores)
    {
        foreach (IJournalStore store in stores.Where(store => store != Store))
            await store.DisposeAsync();
    }
}

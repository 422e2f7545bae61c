namespace Statehouse.Journal.Tests;

public abstract partial class JournalStoreConformance
{
    [Fact]
    public async Task A_unit_over_new_and_existing_agents_goes_in_whole_under_one_commit_ts()
    {
        Commits[] agents = [new("a"), new("b"), new("c")];
        await AppendAsync(agents[1]);

        AppendUnit unit = Together(agents);
        await WriteAsync(unit);

        Assert.Equal(AppendOutcome.Appended, unit.Outcome);
        Assert.NotEqual(CommitTs.None, unit.Runs[0].CommitTs[0]);
        Assert.Single(unit.Runs.Select(run => run.CommitTs[0]).Distinct());
        foreach ((Commits agent, AppendRun run) in agents.Zip(unit.Runs))
        {
            agent.Acknowledge(run);
            await AssertJournalIsAsync(agent);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_unit_over_several_agents_with_one_in_conflict_writes_nothing(int stale)
    {
        Commits[] agents = [new("a"), new("b"), new("c"), new("d")];
        for (int i = 0; i < 3; i++)
            await AppendAsync(agents[i]);
        AppendUnit unit = Together(agents);
        await AppendAsync(agents[stale]);
        var bystander = new Commits("e");
        AppendUnit beside = bystander.NextUnit();

        await WriteAsync(unit, beside);

        Assert.Equal(AppendOutcome.Conflict, unit.Outcome);
        Assert.Equal(AppendOutcome.Appended, beside.Outcome);
        foreach (Commits agent in agents)
            await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task A_new_agent_of_a_unit_in_conflict_can_be_created_afterwards()
    {
        Commits existing = new("z"), created = new("a");
        await AppendAsync(existing);
        AppendUnit unit = Together(created, existing);
        await AppendAsync(existing);
        await WriteAsync(unit);
        Assert.Equal(AppendOutcome.Conflict, unit.Outcome);

        // The row number that the failed unit drew goes to somebody else; its handle must not have kept it.
        await AppendAsync(new Commits("other"), 3);
        Assert.Empty(await ForwardAsync(created, 1, 10));
        await AppendAsync(created, 2);
        await AppendAsync(created);

        await AssertJournalIsAsync(created);
        await AssertJournalIsAsync(existing);
    }

    [Fact]
    public async Task A_unit_may_span_a_thousand_agents()
    {
        Commits[] agents = [.. Enumerable.Range(0, 1000).Select(i => new Commits($"agent-{i:d4}"))];
        AppendUnit unit = Together(agents);

        await WriteAsync(unit);

        Assert.Equal(AppendOutcome.Appended, unit.Outcome);
        Assert.Single(unit.Runs.Select(run => run.CommitTs[0]).Distinct());
        FeedPage page = await Store.ReadFeedAsync(CommitTs.None, 1, null, Cancellation);
        Assert.Equal(1000, page.Commits.Count);
    }

    [Fact]
    public async Task Commit_ts_grows_along_each_agent_and_no_two_transactions_share_one()
    {
        Commits[] agents = [new("a"), new("b"), new("c")];
        var seen = new HashSet<CommitTs>();
        for (int round = 0; round < 6; round++)
        {
            AppendUnit[] batch = round % 2 == 0 ? [.. agents.Select(a => a.NextUnit(3))] : [Together(agents)];
            await WriteAsync(batch);
            foreach (AppendUnit unit in batch)
            {
                Assert.Equal(AppendOutcome.Appended, unit.Outcome);
                foreach (CommitTs commitTs in unit.Runs.SelectMany(run => run.CommitTs).Distinct())
                    Assert.True(seen.Add(commitTs), $"commit_ts {commitTs} was given to two transactions.");
                foreach (AppendRun run in unit.Runs)
                    agents.Single(a => a.Agent == run.Handle.Agent).Acknowledge(run);
            }
            if (round == 3)
                await ReopenAsync();
        }

        foreach (Commits agent in agents)
        {
            long[] commitTs = [.. agent.Acknowledged.Select(c => c.CommitTs.Value)];
            Assert.Equal(commitTs.Order().Distinct(), commitTs);
            await AssertJournalIsAsync(agent);
        }
    }

    [Fact]
    public async Task Commit_ts_goes_on_growing_after_a_reopen()
    {
        var agent = new Commits("a");
        await AppendAsync(agent, 10);
        await ReopenAsync();
        var other = new Commits("b");
        await AppendAsync(other);

        Assert.True(other.Acknowledged[0].CommitTs > agent.Acknowledged[^1].CommitTs);
    }

    /// <summary>One commit on each agent, in one transaction.</summary>
    protected static AppendUnit Together(params Commits[] agents)
    {
        var txnId = Guid.NewGuid();
        return new AppendUnit([.. agents.OrderBy(a => a.Agent).Select(a => a.Next(txnId))]);
    }
}

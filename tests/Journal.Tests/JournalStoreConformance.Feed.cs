namespace Statehouse.Journal.Tests;

public abstract partial class JournalStoreConformance
{
    [Fact]
    public async Task An_empty_store_has_an_empty_feed_that_is_at_its_end()
    {
        FeedPage page = await Store.ReadFeedAsync(CommitTs.None, 10, null, Cancellation);

        Assert.Empty(page.Commits);
        Assert.True(page.AtEnd);
        Assert.Equal(CommitTs.None, await Store.ReadFeedEndAsync(Cancellation));
    }

    [Fact]
    public async Task The_feed_holds_every_commit_once_in_commit_ts_order_whatever_the_page_size()
    {
        Commits[] agents = await WriteMixedFeedAsync();
        (AgentId, JournalCommit)[] expected = FeedOf(agents);

        foreach (int limit in (int[])[1, 2, 7, 1000])
            AssertSameFeed(expected, await ReadFeedToEndAsync(limit: limit));
        await ReopenAsync();
        AssertSameFeed(expected, await ReadFeedToEndAsync());
    }

    [Fact]
    public async Task The_feed_goes_on_after_any_position()
    {
        Commits[] agents = await WriteMixedFeedAsync();
        (AgentId, JournalCommit)[] all = FeedOf(agents);

        foreach (CommitTs after in all.Select(c => c.Item2.CommitTs).Distinct())
            AssertSameFeed([.. all.Where(c => c.Item2.CommitTs > after)], await ReadFeedToEndAsync(after: after, limit: 5));
        FeedPage behind = await Store.ReadFeedAsync(new CommitTs(all[^1].Item2.CommitTs.Value + 1000), 5, null, Cancellation);
        Assert.Empty(behind.Commits);
        Assert.True(behind.AtEnd);
    }

    [Fact]
    public async Task A_page_of_the_feed_never_splits_a_transaction()
    {
        Commits[] agents = [new("a"), new("b"), new("c"), new("d"), new("e")];
        for (int round = 0; round < 4; round++)
        {
            AppendUnit unit = Together(agents);
            await WriteAsync(unit);
            Acknowledge(agents, unit);
        }

        CommitTs after = CommitTs.None;
        for (int round = 0; round < 4; round++)
        {
            FeedPage page = await Store.ReadFeedAsync(after, 3, null, Cancellation);
            Assert.Equal(5, page.Commits.Count);
            Assert.Equal(page.Through, Assert.Single(page.Commits.Select(c => c.Commit.CommitTs).Distinct()));
            Assert.Equal(round == 3, page.AtEnd || (await Store.ReadFeedAsync(page.Through, 3, null, Cancellation)).Commits.Count == 0);
            after = page.Through;
        }
    }

    [Fact]
    public async Task A_namespace_sees_only_its_own_commits_and_passes_over_the_others()
    {
        Commits mine = new(new AgentId("mine", "a")), other = new(new AgentId("min", "a")), upper = new(new AgentId("Mine", "a"));
        await AppendAsync(mine);
        AppendUnit shared = Together(mine, other);
        await WriteAsync(shared);
        Acknowledge([mine, other], shared);
        for (int i = 0; i < 50; i++)
            await AppendAsync(other, 100);
        await AppendAsync(upper);

        AssertSameFeed(FeedOf(mine), await ReadFeedToEndAsync("mine", limit: 1));
        AssertSameFeed(FeedOf(other), await ReadFeedToEndAsync("min"));
        Assert.Empty(await ReadFeedToEndAsync("nobody"));
        FeedPage page = await Store.ReadFeedAsync(mine.Acknowledged[^1].CommitTs, 10, "mine", Cancellation);
        while (!page.AtEnd)
            page = await Store.ReadFeedAsync(page.Through, 10, "mine", Cancellation);
        Assert.Equal(await Store.ReadFeedEndAsync(Cancellation), page.Through);
    }

    [Fact]
    public async Task The_end_of_the_feed_is_the_last_commit_ts()
    {
        var agent = new Commits("a");
        await AppendAsync(agent, 3);
        Assert.Equal(agent.Acknowledged[^1].CommitTs, await Store.ReadFeedEndAsync(Cancellation));

        FeedPage page = await Store.ReadFeedAsync(CommitTs.None, 1000, null, Cancellation);
        Assert.Equal(agent.Acknowledged[^1].CommitTs, page.Through);
    }

    [Fact]
    public async Task A_reader_that_polls_while_others_write_sees_each_commit_exactly_once_in_order()
    {
        Commits[][] writers = [.. Enumerable.Range(0, 4).Select(w => (Commits[])[new($"w{w}-a"), new($"w{w}-b")])];
        Task writing = Task.WhenAll(writers.Select(pair => Task.Run(() => WriteAlternatingAsync(pair, rounds: 40))));
        var seen = new List<FeedCommit>();
        CommitTs after = CommitTs.None;
        while (true)
        {
            bool wasDone = writing.IsCompleted;
            FeedPage page = await Store.ReadFeedAsync(after, 13, null, Cancellation);
            Assert.True(page.Through >= after);
            seen.AddRange(page.Commits);
            after = page.Through;
            if (wasDone && page.AtEnd)
                break;
        }
        await writing;

        AssertSameFeed(FeedOf([.. writers.SelectMany(pair => pair)]), seen);
    }

    private async Task WriteAlternatingAsync(Commits[] pair, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            AppendUnit[] batch = round % 3 == 0 ? [Together(pair)] : [.. pair.Select(agent => agent.NextUnit(1 + round % 4))];
            await WriteAsync(batch);
            foreach (AppendUnit unit in batch)
            {
                Assert.Equal(AppendOutcome.Appended, unit.Outcome);
                Acknowledge(pair, unit);
            }
        }
    }

    /// <summary>Four agents in two namespaces and of both kinds; single commits, runs and transactions.</summary>
    private async Task<Commits[]> WriteMixedFeedAsync()
    {
        Commits[] agents =
        [
            new(new AgentId("n1", "a")), new(new AgentId("n1", "b")), new(new AgentId("n2", "a")),
            new(new AgentId(AgentKind.Execution, "n1", "a")),
        ];
        for (int round = 0; round < 8; round++)
        {
            foreach (Commits agent in agents)
                await AppendAsync(agent, 1 + round % 3);
            AppendUnit unit = Together(agents[..(2 + round % 3)]);
            await WriteAsync(unit);
            Acknowledge(agents, unit);
        }
        return agents;
    }

    protected async Task<List<FeedCommit>> ReadFeedToEndAsync(string? @namespace = null, CommitTs after = default, int limit = 1000)
    {
        var commits = new List<FeedCommit>();
        while (true)
        {
            FeedPage page = await Store.ReadFeedAsync(after, limit, @namespace, Cancellation);
            commits.AddRange(page.Commits);
            Assert.True(page.AtEnd || page.Through > after, "A page that is not the last one must get ahead.");
            Assert.All(page.Commits, c => Assert.InRange(c.Commit.CommitTs.Value, after.Value + 1, page.Through.Value));
            if (page.AtEnd)
                return commits;
            after = page.Through;
        }
    }

    private static void Acknowledge(Commits[] agents, AppendUnit unit)
    {
        foreach (AppendRun run in unit.Runs)
            agents.Single(agent => agent.Agent == run.Handle.Agent).Acknowledge(run);
    }

    private static (AgentId Agent, JournalCommit Commit)[] FeedOf(params IReadOnlyCollection<Commits> agents) =>
        [.. agents.SelectMany(a => a.Acknowledged.Select(c => (a.Agent, c))).OrderBy(c => c.c.CommitTs).ThenBy(c => c.Agent)];

    /// <summary>The same commits in commit_ts order; within one transaction the order is the store's own.</summary>
    private static void AssertSameFeed((AgentId Agent, JournalCommit Commit)[] expected, List<FeedCommit> actual)
    {
        Assert.Equal(actual.Select(c => c.Commit.CommitTs).Order(), actual.Select(c => c.Commit.CommitTs));
        FeedCommit[] sorted = [.. actual.OrderBy(c => c.Commit.CommitTs).ThenBy(c => c.Agent)];
        Assert.Equal(expected.Select(c => c.Agent), sorted.Select(c => c.Agent));
        AssertSameCommits([.. expected.Select(c => c.Commit)], [.. sorted.Select(c => c.Commit)]);
    }
}

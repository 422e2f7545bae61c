using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Conformance;

public abstract partial class AgentStateConformance
{
    [Fact]
    public async Task Followers_see_each_commit_once_in_order_also_when_they_come_back()
    {
        IAgentState agent = Agent("a");
        const int Total = 300;
        Task writer = Task.Run(async () =>
        {
            for (int i = 1; i <= Total; i++)
                await agent.CommitAsync(Put("k", $"{i}"));
        }, Cancellation);

        var seen = new List<long>();
        while (seen.Count < Total)
        {
            // Leaves after a few commits and comes back where it left, as a client with Last-Event-ID does.
            int quota = 1 + seen.Count % 37;
            await foreach (JournalCommit commit in agent.ReplayAsync(new AgentVersion(seen.Count + 1), follow: true, Cancellation))
            {
                seen.Add(commit.Version.Value);
                if (--quota == 0 || seen.Count == Total)
                    break;
            }
        }
        await writer;
        Assert.Equal(Enumerable.Range(1, Total).Select(i => (long)i), seen);
    }

    [Fact]
    public async Task A_follower_may_come_before_the_agents_first_commit()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await using IAsyncEnumerator<JournalCommit> follower = Agent("a").ReplayAsync(AgentVersion.None, follow: true, stop.Token).GetAsyncEnumerator(stop.Token);
        ValueTask<bool> next = follower.MoveNextAsync();
        await Agent("a").CommitAsync(Put("k", "1"));
        Assert.True(await next);
        Assert.Equal(1, follower.Current.Version.Value);
        next = follower.MoveNextAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
    }

    [Fact]
    public async Task The_feed_shows_every_commit_in_order_and_keeps_transactions_whole()
    {
        await Agent("a").CommitAsync(Put("k", "1"));
        await Agents.CommitTogetherAsync(Together((Id("a"), Commit(Put("k", "2"))), (Id("b"), Commit(Put("k", "2"))), (Id("c", "other"), Commit(Put("k", "2")))), Cancellation);
        await Agent("b").CommitAsync(Put("k", "3"));

        var seen = new List<FeedCommit>();
        var position = CommitTs.None;
        bool atEnd = false;
        while (!atEnd || seen.Count < 5)
        {
            FeedPage page = await Agents.ReadFeedAsync(position, 1, null, Cancellation);
            seen.AddRange(page.Commits);
            (position, atEnd) = (page.Through, page.AtEnd);
        }
        Assert.Equal(["a", "a", "b", "c", "b"], seen.Select(item => item.Agent.Name).Order(StringComparer.Ordinal).Zip(seen, (_, item) => item.Agent.Name)
            .Take(1).Concat(seen.Skip(1).Take(3).Select(item => item.Agent.Name).Order(StringComparer.Ordinal)).Concat(seen.Skip(4).Select(item => item.Agent.Name)));
        Assert.Single(seen.Skip(1).Take(3).Select(item => item.Commit.CommitTs).Distinct());
        Assert.Equal(seen.Select(item => item.Commit.CommitTs.Value).Order(), seen.Select(item => item.Commit.CommitTs.Value));

        FeedPage other = await Agents.ReadFeedAsync(CommitTs.None, 100, "other", Cancellation);
        Assert.Equal("c", Assert.Single(other.Commits).Agent.Name);
    }
}

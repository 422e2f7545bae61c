using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Conformance;

public abstract partial class AgentStateConformance
{
    [Fact]
    public async Task A_scan_goes_in_byte_order_and_its_pages_are_of_one_version()
    {
        IAgentState agent = Agent("a");
        string[] keys = ["a", "a/1", "a/10", "a/2", "b", "z", "é", "\uFFFD", "😀"];
        await agent.CommitAsync([.. keys.Reverse().Select(key => Put(key, "1"))]);

        ScanPage first = await agent.ScanAsync(limit: 3);
        Assert.True(first.HasMore);
        await agent.CommitAsync(Delete("a/2"), Put("a/15", "\"new\""), Put("b", "\"changed\""));
        ScanPage second = await agent.ScanAsync(limit: 100, after: first.Items[^1].Key.ToString(), at: ReadPoint.AtVersion(first.AgentVersion));

        Assert.False(second.HasMore);
        Assert.Equal(keys, first.Items.Concat(second.Items).Select(item => item.Key.ToString()));
        Assert.Equal("1", second.Items.Single(item => item.Key.ToString() == "b").Value.ToString());
        Assert.Equal(["a/1", "a/10", "a/15"], (await agent.ScanAsync("a/")).Items.Select(item => item.Key.ToString()));
    }

    [Fact]
    public async Task A_scan_shows_live_keys_only_and_starts_after_any_key()
    {
        IAgentState agent = Agent("a");
        await agent.CommitAsync(Put("p/1", "1"), Put("p/2", "2"), Put("q", "3"), Put("p", "0"));
        await agent.CommitAsync(Delete("p/1"));
        Assert.Equal(["p/2"], (await agent.ScanAsync("p/")).Items.Select(item => item.Key.ToString()));
        Assert.Equal(["p/2"], (await agent.ScanAsync("p/", after: "a")).Items.Select(item => item.Key.ToString()));
        Assert.Empty((await agent.ScanAsync("p/", after: "p/2")).Items);
        Assert.Empty((await agent.ScanAsync("p/", after: "z")).Items);
    }

    [Fact]
    public async Task Reads_as_of_a_version_a_time_and_a_position_show_what_was_true_then()
    {
        IAgentState agent = Agent("a");
        var receipts = new List<CommitReceipt>();
        for (int i = 1; i <= 40; i++)
        {
            receipts.Add(await agent.CommitAsync(Put("k", $"{i}"), Put($"k{i}", "1")));
            await Task.Yield();
        }
        await RestartAsync();
        foreach (CommitReceipt receipt in receipts)
        {
            string expected = receipt.Version.ToString();
            Assert.Equal(expected, await Agent("a").ReadAsync("k", ReadPoint.AtVersion(receipt.Version)));
            Assert.Equal(expected, await Agent("a").ReadAsync("k", ReadPoint.AtCommitTs(receipt.CommitTs)));
            AgentVersion lastOfThatTime = receipts.Last(other => other.Time == receipt.Time).Version;
            Assert.Equal(lastOfThatTime.ToString(), await Agent("a").ReadAsync("k", ReadPoint.AtTime(receipt.Time)));
            Assert.Equal(receipt.Version.Value + 1, (await Agent("a").ScanAsync(at: ReadPoint.AtVersion(receipt.Version))).Items.Length);
        }
        Assert.Null(await Agent("a").ReadAsync("k", ReadPoint.AtVersion(AgentVersion.None)));
        Assert.Null(await Agent("a").ReadAsync("k", ReadPoint.AtTime(new CommitTime(receipts[0].Time.UnixMicroseconds - 1))));
    }

    [Fact]
    public async Task Reads_of_moments_that_are_not_there_are_refused()
    {
        IAgentState agent = Agent("a");
        await agent.CommitAsync(Put("k", "1"));
        Assert.Equal(ErrorCode.NotFound, (await RefusalAsync(() => agent.GetAsync("k", ReadPoint.AtVersion(new AgentVersion(2))))).Code);
        Assert.Equal(ErrorCode.NotFound, (await RefusalAsync(() => agent.GetAsync("k", ReadPoint.AtVersion(new AgentVersion(long.MaxValue))))).Code);
        var future = CommitTime.From(TimeProvider.System.GetUtcNow().AddHours(1));
        StatehouseException refusal = await RefusalAsync(() => agent.GetAsync("k", ReadPoint.AtTime(future)));
        Assert.Equal((ErrorCode.InvalidArgument, "at"), (refusal.Code, refusal.Details["field"]));
        Assert.Equal(ErrorCode.InvalidArgument, (await RefusalAsync(() => agent.ScanAsync(limit: 0))).Code);
        Assert.Equal(ErrorCode.InvalidArgument, (await RefusalAsync(() => agent.ScanAsync(limit: 1001))).Code);
    }

    [Fact]
    public async Task An_agent_without_commits_has_no_head_no_history_and_no_keys()
    {
        Assert.Equal(ErrorCode.NotFound, (await RefusalAsync(async () => await Agent("none").GetHeadAsync(default, Cancellation))).Code);
        Assert.Equal(ErrorCode.NotFound, (await RefusalAsync(async () => await Agent("none").GetCommitAsync(new AgentVersion(1), Cancellation))).Code);
        Assert.False((await Agent("none").GetAsync("k")).Exists);
        Assert.Empty((await Agent("none").ScanAsync()).Items);
        Assert.Empty((await Agents.ListAsync("default", "", null, 10, Cancellation)).Items);
    }

    [Fact]
    public async Task The_head_tells_where_the_agent_stands()
    {
        await Agent("a").CommitAsync(Put("k", "1"), Put("gone", "22"));
        CommitReceipt last = await Agent("a").CommitAsync(Delete("gone"), Put("key", "\"é\""));
        AgentHead head = await Agent("a").GetHeadAsync(Consistency.Strong, Cancellation);
        Assert.Equal(new AgentHead(last.Version, last.CommitTs, last.Time, last.Hash, KeyCount: 2, Bytes: 1 + 1 + 4 + 3 + 4, new AgentVersion(1)), head);
    }

    [Fact]
    public async Task History_comes_in_both_orders_in_pages_and_as_it_was_written()
    {
        IAgentState agent = Agent("a");
        for (int i = 1; i <= 10; i++)
            await agent.CommitAsync(Put("k", $"{i}"));
        HistoryPage page = await agent.GetCommitsAsync(new HistoryRequest(new AgentVersion(3), new AgentVersion(8), 4), Cancellation);
        Assert.Equal([3, 4, 5, 6], page.Commits.Select(commit => commit.Version.Value));
        Assert.True(page.HasMore);
        HistoryPage newest = await agent.GetCommitsAsync(new HistoryRequest(AgentVersion.None, null, 3, NewestFirst: true), Cancellation);
        Assert.Equal([10, 9, 8], newest.Commits.Select(commit => commit.Version.Value));
        Assert.Equal("""{"operations":[{"op":"put","key":"k","value":10,"version":10}]}""", newest.Commits[0].Text());
        Assert.Empty((await agent.GetCommitsAsync(new HistoryRequest(new AgentVersion(11), null, 3), Cancellation)).Commits);
        Assert.Equal(7, (await agent.GetCommitAsync(new AgentVersion(7), Cancellation)).Version.Value);
    }

    [Fact]
    public async Task A_reader_that_scans_in_a_loop_never_sees_half_a_commit()
    {
        IAgentState agent = Agent("a");
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task writer = Task.Run(async () =>
        {
            try
            {
                for (int i = 1; i <= 200; i++)
                    await agent.CommitAsync([.. Enumerable.Range(0, 40).Select(k => Put($"k{k:00}", $"{i}"))]);
            }
            finally
            {
                await done.CancelAsync();
            }
        }, Cancellation);
        int scans = 0;
        while (!done.IsCancellationRequested)
        {
            ScanPage page = await agent.ScanAsync();
            Assert.True(page.Items.Length is 0 or 40);
            Assert.True(page.Items.Select(item => item.Value.ToString()).Distinct().Count() <= 1, $"a torn scan at version {page.AgentVersion}");
            scans++;
        }
        await writer;
        Assert.True(scans > 0);
    }

    [Fact]
    public async Task A_replay_range_has_both_ends_and_only_this_agent()
    {
        var receipts = new List<CommitReceipt>();
        for (int i = 0; i < 10; i++)
        {
            receipts.Add(await Agent("a").CommitAsync(Put("k", $"{i}")));
            await Agent("b").CommitAsync(Put("k", "\"b\""));
        }
        var versions = new List<long>();
        await foreach (JournalCommit commit in Agent("a").ReplayRangeAsync(receipts[2].CommitTs, receipts[5].CommitTs, Cancellation))
            versions.Add(commit.Version.Value);
        Assert.Equal([3, 4, 5, 6], versions);
        versions.Clear();
        await foreach (JournalCommit commit in Agent("a").ReplayRangeAsync(default, new CommitTs(long.MaxValue), Cancellation))
            versions.Add(commit.Version.Value);
        Assert.Equal(10, versions.Count);
    }

    [Fact]
    public async Task Agents_are_listed_in_byte_order_by_prefix_and_page()
    {
        foreach (string name in new[] { "b", "a", "a/2", "a/1", "😀", "\uFFFD" })
            await Agent(name).CommitAsync(Put("k", "1"));
        await Agent("elsewhere", "other").CommitAsync(Put("k", "1"));
        AgentPage first = await Agents.ListAsync("default", "", null, 3, Cancellation);
        AgentPage second = await Agents.ListAsync("default", "", first.Items[^1].Agent.Name, 10, Cancellation);
        Assert.True(first.HasMore);
        Assert.False(second.HasMore);
        Assert.Equal(["a", "a/1", "a/2", "b", "\uFFFD", "😀"], first.Items.Concat(second.Items).Select(head => head.Agent.Name));
        Assert.Equal(["a/1", "a/2"], (await Agents.ListAsync("default", "a/", null, 10, Cancellation)).Items.Select(head => head.Agent.Name));
    }
}

using System.Collections.Immutable;
using System.Text;
using Statehouse.Agents.Tests.Codec;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Conformance;

public abstract partial class AgentStateConformance
{
    [Fact]
    public async Task A_detached_value_reads_as_any_other_at_every_moment_also_after_a_restart()
    {
        const int Steps = 40;
        await WriteStepsAsync("a", Steps);
        await AssertStepsAsync("a", Steps);
        await RestartAsync();
        await AssertStepsAsync("a", Steps);
    }

    [Fact]
    public async Task A_detached_value_stands_in_the_chain_by_its_digest()
    {
        string value = "{\n  \"über\": [1, 2]\n}";
        await Agent("a").CommitAsync(Detached("state", value), Put("plain", "[\n1]"));
        JournalCommit commit = await Agent("a").GetCommitAsync(new AgentVersion(1), Cancellation);
        string digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(value)));
        Assert.Equal(
            $$"""{"operations":[{"op":"put","key":"state","sha256":"{{digest}}","bytes":{{Encoding.UTF8.GetByteCount(value)}},"version":1},{"op":"put","key":"plain","value":[""" + "\n1],\"version\":1}]}",
            Encoding.UTF8.GetString(commit.Canonical.Span));
        Assert.Contains(value, Encoding.UTF8.GetString(commit.Detail.Span), StringComparison.Ordinal);
        AssertChain(Id("a"), [commit]);
    }

    [Fact]
    public async Task A_small_change_of_a_large_detached_value_costs_about_itself()
    {
        byte[] value = Texts.Of("records", 500_000, new Random(1));
        await Agent("a").CommitAsync(Detached("state", Encoding.UTF8.GetString(value)));
        byte[] changed = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(value).Replace("\"id\":4711,", "\"id\":\"changed\",", StringComparison.Ordinal));
        await Agent("a").CommitAsync(Detached("state", Encoding.UTF8.GetString(changed)));
        await Agent("a").CommitAsync(Detached("state", Encoding.UTF8.GetString(value), isWhole: true));
        await RestartAsync();
        List<JournalCommit> history = await Agent("a").HistoryAsync();
        Assert.InRange(history[0].Body.Length, value.Length, value.Length + 300);
        Assert.InRange(history[1].Body.Length, 100, 300);
        Assert.InRange(history[2].Body.Length, value.Length, value.Length + 300);
        Assert.Equal(Encoding.UTF8.GetString(changed), await Agent("a").ReadAsync("state", ReadPoint.AtVersion(new AgentVersion(2))));
    }

    [Fact]
    public async Task Detached_values_in_one_commit_each_follow_the_one_before_them()
    {
        string first = Encoding.UTF8.GetString(Texts.Of("records", 2_000, new Random(1)));
        string second = first.Replace("\"id\":3,", "\"id\":33,", StringComparison.Ordinal);
        await Agent("a").CommitAsync(
            Detached("x", first), Detached("y", second), Detached("x", second), Delete("y"), Detached("y", first), Put("x", "1"), Detached("x", first));
        await RestartAsync();
        Assert.Equal((first, first), (await Agent("a").ReadAsync("x"), await Agent("a").ReadAsync("y")));
        Assert.Equal(second, await Agent("a").ReadAsync("x", ReadPoint.AtKeyVersion(new KeyVersion(2))));
        Assert.Equal("1", await Agent("a").ReadAsync("x", ReadPoint.AtKeyVersion(new KeyVersion(3))));
        Assert.Equal(second, await Agent("a").ReadAsync("y", ReadPoint.AtKeyVersion(new KeyVersion(1))));
        Assert.Null(await Agent("a").ReadAsync("y", ReadPoint.AtKeyVersion(new KeyVersion(2))));
    }

    [Fact]
    public async Task An_idempotency_key_covers_the_whole_detached_value()
    {
        string first = Encoding.UTF8.GetString(Texts.Of("records", 2_000, new Random(1)));
        string second = first.Replace("\"id\":3,", "\"id\":4,", StringComparison.Ordinal);
        await Agent("a").CommitAsync(Detached("state", first));
        CommitRequest once = Commit(Detached("state", second)) with { IdempotencyKey = "once" };
        CommitReceipt receipt = await Agent("a").CommitAsync(once, Cancellation);
        await RestartAsync();
        CommitReceipt again = await Agent("a").CommitAsync(once, Cancellation);
        Assert.Equal((receipt.Hash, true), (again.Hash, again.Replayed));
        Assert.Equal(ErrorCode.IdempotencyKeyReused, (await RefusalAsync(async () => await Agent("a").CommitAsync(
            Commit(Detached("state", first)) with { IdempotencyKey = "once" }, Cancellation))).Code);
    }

    [Fact]
    public async Task A_transaction_may_detach_values_of_several_agents_and_the_feed_shows_them_by_their_digests()
    {
        string value = Encoding.UTF8.GetString(Texts.Of("pretty", 3_000, new Random(1)));
        foreach (string edit in new[] { value, value.Replace("ok", "well", StringComparison.Ordinal) })
        {
            await Agents.CommitTogetherAsync(
                Together((Id("a"), Commit(Detached("state", edit))), (Id("b"), Commit(Put("n", "1"), Detached("state", edit)))), Cancellation);
        }
        await RestartAsync();
        foreach (string name in new[] { "a", "b" })
        {
            Assert.Equal(value, await Agent(name).ReadAsync("state", ReadPoint.AtVersion(new AgentVersion(1))));
            Assert.Equal(value.Replace("ok", "well", StringComparison.Ordinal), await Agent(name).ReadAsync("state"));
            AssertChain(Id(name), await Agent(name).HistoryAsync());
        }
        FeedPage feed = await Agents.ReadFeedAsync(CommitTs.None, 100, null, Cancellation);
        Assert.Equal(4, feed.Commits.Count);
        Assert.All(feed.Commits, item => Assert.Contains("\"sha256\":", item.Commit.Text(), StringComparison.Ordinal));
        Assert.All(feed.Commits, item => Assert.EndsWith("}", item.Commit.Text(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_follower_is_given_details_from_memory_and_from_the_journal_alike()
    {
        await WriteStepsAsync("a", 3);
        var followed = new List<string>();
        await foreach (JournalCommit commit in Agent("a").ReplayAsync(new AgentVersion(1), follow: true, Cancellation))
        {
            followed.Add(Convert.ToHexString(commit.Body.Span));
            if (commit.Version.Value == 3)
                await Agent("a").CommitAsync(Detached("state", "{\"n\":4}"));
            if (followed.Count == 4)
                break;
        }
        Assert.Equal((await Agent("a").HistoryAsync()).Select(commit => Convert.ToHexString(commit.Body.Span)), followed);
    }

    /// <summary>Each step changes a little of a detached value; some are whole, and one deletes it first.</summary>
    private async Task WriteStepsAsync(string agent, int steps)
    {
        for (int i = 1; i <= steps; i++)
        {
            Operation put = Detached("state", StepValue(i), isWhole: i % 10 == 0);
            ImmutableArray<Operation> operations = i % 7 == 0 ? [Delete("state"), put] : [Put("step", $"{i}"), put];
            await Agent(agent).CommitAsync(new CommitRequest(operations), Cancellation);
        }
    }

    private async Task AssertStepsAsync(string agent, int steps)
    {
        List<JournalCommit> history = await Agent(agent).HistoryAsync();
        AssertChain(Id(agent), history);
        for (int i = 1; i <= steps; i++)
        {
            KeyState state = await Agent(agent).GetAsync("state", ReadPoint.AtVersion(new AgentVersion(i)));
            Assert.Equal(StepValue(i), state.Value.ToString());
            Assert.Equal(i + i / 7, state.Version.Value);
            Assert.Equal(StepValue(i), await Agent(agent).ReadAsync("state", ReadPoint.AtKeyVersion(state.Version)));
            Assert.Equal(StepValue(i), await Agent(agent).ReadAsync("state", ReadPoint.AtCommitTs(history[i - 1].CommitTs)));
        }
        Assert.Equal(StepValue(steps), await Agent(agent).ReadAsync("state"));
    }

    private static string StepValue(int step) =>
        Encoding.UTF8.GetString(Texts.Of("records", 1_500, new Random(1))).Replace("\"id\":5,", $"\"id\":\"step {step}\",", StringComparison.Ordinal);
}

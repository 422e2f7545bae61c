using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>What is missing is never passed over in silence, unless it was trimmed.</summary>
public sealed class PostgresDamageTests : PostgresFixture
{
    private static readonly AgentVersion First = new(1);
    private static readonly AgentVersion Last = new(long.MaxValue);

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(9)]
    public async Task A_missing_commit_breaks_an_invariant_in_both_directions(int version)
    {
        (PostgresJournalStore store, Commits agent) = await TenCommitsAsync();
        await ExecuteAsync($"delete from statehouse.journal where version = {version}");

        var forward = await Assert.ThrowsAsync<InvariantBrokenException>(() => ForwardAsync(store, agent));
        var backward = await Assert.ThrowsAsync<InvariantBrokenException>(() => BackwardAsync(store, agent));

        Assert.Contains($"Commit {version} of default/agent", forward.Message, StringComparison.Ordinal);
        Assert.Contains($"Commit {version} of default/agent", backward.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(10)]
    public async Task Nothing_above_a_gap_is_handed_out_unchecked_when_it_is_read_backward(int changed)
    {
        (PostgresJournalStore store, Commits agent) = await TenCommitsAsync();
        await ExecuteAsync($"delete from statehouse.journal where version = 6; update statehouse.journal set body = '{{}}' where version = {changed}");

        var seen = new List<JournalCommit>();
        await Assert.ThrowsAsync<InvariantBrokenException>(async () =>
        {
            await foreach (JournalCommit commit in store.ReadBackwardAsync(agent.Handle, First, Last, Cancellation))
                seen.Add(commit);
        });

        Assert.DoesNotContain(seen, commit => commit.Version.Value <= changed);
    }

    [Fact]
    public async Task History_that_is_trimmed_below_a_reader_who_goes_backward_is_no_damage()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        await AppendAsync(store, agent, 2500);
        var trimmed = await Assert.ThrowsAsync<HistoryTrimmedException>(async () =>
        {
            await foreach (JournalCommit commit in store.ReadBackwardAsync(agent.Handle, First, Last, Cancellation))
            {
                if (commit.Version.Value == 2500)
                    await ExecuteAsync("delete from statehouse.journal where version < 1000; update statehouse.stream set first_version = 1000");
            }
        });
        Assert.Contains("999", trimmed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("set body = '{\"n\":777}' where version = 5", 5)]
    [InlineData("set committed_at = committed_at + 1 where version = 1", 1)]
    [InlineData("set txn_id = '00000000-0000-0000-0000-000000000000' where version = 10", 10)]
    [InlineData("set hash = sha256(hash) where version = 10", 10)]
    public async Task A_changed_commit_breaks_an_invariant_for_every_reader_that_comes_upon_it(string change, int version)
    {
        (PostgresJournalStore store, Commits agent) = await TenCommitsAsync();
        await ExecuteAsync("update statehouse.journal " + change);

        await Assert.ThrowsAsync<InvariantBrokenException>(() => ForwardAsync(store, agent));
        await Assert.ThrowsAsync<InvariantBrokenException>(() => BackwardAsync(store, agent));
        var only = new AgentVersion(version);
        await Assert.ThrowsAsync<InvariantBrokenException>(
            () => store.ReadForwardAsync(agent.Handle, only, only, Cancellation).ToListAsync(Cancellation).AsTask());
        await Assert.ThrowsAsync<InvariantBrokenException>(
            () => store.ReadBackwardAsync(agent.Handle, only, only, Cancellation).ToListAsync(Cancellation).AsTask());
        await Assert.ThrowsAsync<InvariantBrokenException>(() => Commits.ReadFeedAsync(store, Cancellation));
        // What does not touch it is served.
        var others = new AgentVersion(version == 1 ? 3 : version - 1);
        Assert.Single(await store.ReadForwardAsync(agent.Handle, others, others, Cancellation).ToListAsync(Cancellation));
    }

    [Theory]
    [InlineData("set body = '{}'")]
    [InlineData("set hash = '\\x0102'")]
    public async Task A_damaged_commit_takes_nobody_elses_out_of_the_feed(string change)
    {
        PostgresJournalStore store = await OpenAsync();
        Commits[] agents = [new("a"), new("b"), new("c")];
        foreach (Commits agent in agents)
            await AppendAsync(store, agent);
        await ExecuteAsync($"update statehouse.journal {change} where stream_id = (select stream_id from statehouse.stream where name = 'b')");

        FeedPage before = await store.ReadFeedAsync(CommitTs.None, 100, null, Cancellation);
        var damage = await Assert.ThrowsAsync<InvariantBrokenException>(() => store.ReadFeedAsync(before.Through, 100, null, Cancellation));
        FeedPage behind = await store.ReadFeedAsync(damage.FeedDamage!.Value, 100, null, Cancellation);

        Assert.Equal("a", Assert.Single(before.Commits).Agent.Name);
        Assert.False(before.AtEnd);
        Assert.Equal(agents[1].Acknowledged[0].CommitTs, damage.FeedDamage);
        Assert.Equal($"{damage.FeedDamage}", damage.Details["commit_ts"]);
        Assert.Equal(("b", "1"), (damage.Details["agent"], damage.Details["agent_version"]));
        Assert.Equal("c", Assert.Single(behind.Commits).Agent.Name);
        Assert.True(behind.AtEnd);
    }

    [Fact]
    public async Task A_head_without_its_commit_breaks_an_invariant()
    {
        (PostgresJournalStore store, Commits agent) = await TenCommitsAsync();
        await ExecuteAsync("delete from statehouse.journal where version = 10");

        await Assert.ThrowsAsync<InvariantBrokenException>(() => store.ReadHeadAsync(agent.Handle, Cancellation));
        await Assert.ThrowsAsync<InvariantBrokenException>(
            () => store.ListAgentsAsync(AgentKind.Agent, "default", "", null, 10, Cancellation));
    }

    [Fact]
    public async Task A_commit_that_is_there_already_beyond_the_head_breaks_an_invariant_and_is_not_overwritten()
    {
        (PostgresJournalStore store, Commits agent) = await TenCommitsAsync();
        AppendUnit next = agent.NextUnit();
        await ExecuteAsync(
            "insert into statehouse.journal select stream_id, 11, 0, committed_at, txn_id, 'other', hash from statehouse.journal where version = 10");

        await Assert.ThrowsAsync<InvariantBrokenException>(() => store.WriteAsync([next], Cancellation));

        Assert.Equal("other"u8.ToArray(), await PostgresCluster.QueryAsync<byte[]>(Database, "select body from statehouse.journal where version = 11"));
        Assert.Equal(new AgentVersion(10), (await store.ReadHeadAsync(agent.Handle, Cancellation))!.Version);
    }

    [Fact]
    public async Task A_hash_of_the_wrong_size_breaks_an_invariant()
    {
        (PostgresJournalStore store, Commits agent) = await TenCommitsAsync();
        await ExecuteAsync("update statehouse.journal set hash = '\\x0102' where version = 4");

        await Assert.ThrowsAsync<InvariantBrokenException>(() => ForwardAsync(store, agent));
    }

    [Fact]
    public async Task A_schema_that_was_dropped_breaks_an_invariant()
    {
        (PostgresJournalStore store, Commits agent) = await TenCommitsAsync();
        await ExecuteAsync("drop schema statehouse cascade");

        await Assert.ThrowsAsync<InvariantBrokenException>(() => store.ReadHeadAsync(agent.Handle, Cancellation));
        await Assert.ThrowsAsync<InvariantBrokenException>(() => store.WriteAsync([agent.NextUnit()], Cancellation));
    }

    [Fact]
    public async Task Trimmed_history_reads_from_the_oldest_kept_commit_on()
    {
        (PostgresJournalStore store, Commits agent) = await TenCommitsAsync();
        await ExecuteAsync("delete from statehouse.journal where version < 4; update statehouse.stream set first_version = 4");

        Assert.Equal(Enumerable.Range(4, 7), (await ForwardAsync(store, agent)).Select(commit => (int)commit.Version.Value));
        Assert.Equal(Enumerable.Range(4, 7).Reverse(), (await BackwardAsync(store, agent)).Select(commit => (int)commit.Version.Value));
        Assert.Equal(new AgentVersion(4), (await store.ReadHeadAsync(agent.Handle, Cancellation))!.FirstVersion);
        CommitTs[] positions = [.. agent.Acknowledged.Select(commit => commit.CommitTs)];
        Assert.Equal(AgentVersion.None, await store.FindVersionAtTsAsync(agent.Handle, positions[2], Cancellation));
        Assert.Equal(new AgentVersion(4), await store.FindVersionAtTsAsync(agent.Handle, positions[3], Cancellation));
        Assert.Equal(new AgentVersion(9), await store.FindVersionAtTsAsync(agent.Handle, positions[8], Cancellation));
    }

    [Fact]
    public async Task History_that_is_trimmed_ahead_of_a_reader_ends_it_with_a_refusal()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        await AppendAsync(store, agent, 2500);
        await Assert.ThrowsAsync<HistoryTrimmedException>(async () =>
        {
            await foreach (JournalCommit commit in store.ReadForwardAsync(agent.Handle, First, Last, Cancellation))
            {
                if (commit.Version == First)
                    await ExecuteAsync("delete from statehouse.journal where version < 2000; update statehouse.stream set first_version = 2000");
            }
        });
    }

    [Fact]
    public async Task SQL_can_read_bodies()
    {
        (PostgresJournalStore _, Commits _) = await TenCommitsAsync();

        Assert.Equal(7, await PostgresCluster.QueryAsync<int>(
            Database, "select (convert_from(body, 'UTF8')::jsonb ->> 'n')::integer from statehouse.journal where version = 7"));
    }

    private async Task<(PostgresJournalStore Store, Commits Agent)> TenCommitsAsync()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        await AppendAsync(store, agent, 10);
        return (store, agent);
    }

    private static Task<List<JournalCommit>> ForwardAsync(IJournalStore store, Commits agent) =>
        store.ReadForwardAsync(agent.Handle, First, Last, Cancellation).ToListAsync(Cancellation).AsTask();

    private static Task<List<JournalCommit>> BackwardAsync(IJournalStore store, Commits agent) =>
        store.ReadBackwardAsync(agent.Handle, First, Last, Cancellation).ToListAsync(Cancellation).AsTask();
}

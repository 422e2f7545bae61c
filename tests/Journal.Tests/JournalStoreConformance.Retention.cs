using System.Text;

namespace Statehouse.Journal.Tests;

public abstract partial class JournalStoreConformance
{
    private IJournalRetention Retention => (IJournalRetention)Store;

    [Fact]
    public async Task Cut_details_are_gone_and_counted_once_and_the_chain_and_everything_else_stays()
    {
        var agent = new Commits("a");
        byte[][] bodies = [.. Enumerable.Range(1, 700).Select(i => WithDetail($"{{\"n\":{i},\"v\":{{\n}}}}", i % 3 == 0 ? null : new string('d', i)))];
        foreach (byte[][] run in bodies.Chunk(100))
            await AppendAsync(agent, agent.Next(run));
        await AssertJournalIsAsync(agent);
        var bystander = new Commits("b");
        await AppendAsync(bystander, bystander.Next(WithDetail("{}", "kept")));

        long expected = Enumerable.Range(10, 641).Where(i => i % 3 != 0).Sum(i => i + 1L);
        Assert.Equal(expected, await Retention.CutDetailsAsync(agent.Handle, new AgentVersion(10), new AgentVersion(650), Cancellation));
        Assert.Equal(0, await Retention.CutDetailsAsync(new JournalHandle(agent.Agent), new AgentVersion(10), new AgentVersion(650), Cancellation));
        await ReopenAsync();

        IReadOnlyList<JournalCommit> commits = await ReadAllAsync(agent.Agent);
        AssertSameCommits([.. agent.Acknowledged.Select(c => c.Version.Value is >= 10 and <= 650 ? c with { Body = c.Canonical } : c)], commits);
        AssertChains(agent.Agent, commits);
        await AssertJournalIsAsync(bystander);
        Assert.Equal(701, (await ReadFeedToEndAsync()).Count);
    }

    [Fact]
    public async Task Cutting_where_there_is_nothing_to_cut_changes_nothing()
    {
        var agent = new Commits("a");
        await AppendAsync(agent, agent.Next("{\"value\":{\n\"a\":1}\n}"u8.ToArray(), "{}"u8.ToArray()));

        Assert.Equal(0, await Retention.CutDetailsAsync(agent.Handle, new AgentVersion(1), new AgentVersion(long.MaxValue), Cancellation));
        Assert.Equal(0, await Retention.CutDetailsAsync(agent.Handle, new AgentVersion(3), new AgentVersion(2), Cancellation));
        Assert.Equal(0, await Retention.CutDetailsAsync(new JournalHandle(new AgentId("no", "body")), new AgentVersion(1), new AgentVersion(9), Cancellation));
        await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task Details_of_an_agent_that_took_a_deleted_ones_name_are_not_cut_by_those_who_knew_the_old_one()
    {
        Commits old = new("a"), again = new("a");
        await AppendAsync(old, old.Next(WithDetail("{}", "old")));
        var knowsOld = new JournalHandle(old.Agent) { StoreKey = old.Handle.StoreKey };
        Assert.True(await Retention.DeleteAgentAsync(old.Handle, old.Version, old.Hash, Cancellation));
        await AppendAsync(again, again.Next(WithDetail("{}", "new")));

        Assert.Equal(0, await Retention.CutDetailsAsync(knowsOld, new AgentVersion(1), new AgentVersion(9), Cancellation));
        await AssertJournalIsAsync(again);
        Assert.Equal(4, await Retention.CutDetailsAsync(again.Handle, new AgentVersion(1), new AgentVersion(9), Cancellation));
    }

    [Fact]
    public async Task A_deleted_agent_is_gone_with_all_that_was_kept_of_it_and_no_other_one()
    {
        Commits[] agents = [.. Enumerable.Range(0, 3).Select(i => new Commits(new AgentId(AgentKind.Execution, "ns", $"run-{i}")))];
        foreach (Commits agent in agents)
        {
            await AppendIndexedAsync(agent, RowOf(group: "g", labels: ["l=1"]));
            await Store.WriteSnapshotAsync(agent.Handle, SnapshotOf(agent, 1, [1]), Cancellation);
        }
        Commits gone = agents[1];
        var other = new Commits(new AgentId(AgentKind.Agent, "ns", gone.Agent.Name));
        await AppendAsync(other);

        Assert.False(await Retention.DeleteAgentAsync(gone.Handle, gone.Version.Next, gone.Hash, Cancellation));
        Assert.False(await Retention.DeleteAgentAsync(gone.Handle, gone.Version, CommitHash.Genesis(gone.Agent), Cancellation));
        await AssertJournalIsAsync(gone);
        Assert.True(await Retention.DeleteAgentAsync(new JournalHandle(gone.Agent), gone.Version, gone.Hash, Cancellation));
        Assert.False(await Retention.DeleteAgentAsync(gone.Handle, gone.Version, gone.Hash, Cancellation));

        await AssertGoneAsync(gone);
        foreach (Commits left in agents.Except([gone]).Append(other))
            await AssertJournalIsAsync(left);
        Assert.Equal(["run-0", "run-2"], (await Index.QueryAsync(Executions() with { Labels = ["l=1"] }, Cancellation)).Select(f => f.Agent.Name));
        Assert.Equal([1], await SnapshotVersionsAsync(agents[0]));
    }

    [Fact]
    public async Task An_append_decided_on_a_deleted_agent_conflicts_and_brings_nothing_back()
    {
        Commits agent = new(new AgentId(AgentKind.Execution, "ns", "a")), partner = new(new AgentId(AgentKind.Execution, "ns", "b"));
        await AppendIndexedAsync(agent, RowOf());
        await AppendAsync(partner);
        AppendUnit alone = new([Commits.Indexed(agent.Next(), RowOf(status: 7))]);
        AppendUnit together = Together(agent, partner);
        JournalSnapshot late = SnapshotOf(agent, 1, [1]);
        Assert.True(await Retention.DeleteAgentAsync(new JournalHandle(agent.Agent), agent.Version, agent.Hash, Cancellation));

        await WriteAsync(alone);
        await WriteAsync(together);
        await Assert.ThrowsAsync<StateConflictException>(() => Store.WriteSnapshotAsync(agent.Handle, late, Cancellation));

        Assert.Equal((AppendOutcome.Conflict, AppendOutcome.Conflict), (alone.Outcome, together.Outcome));
        await AssertGoneAsync(agent);
        await AssertJournalIsAsync(partner);
    }

    [Fact]
    public async Task A_name_that_was_deleted_can_be_created_again_and_old_handles_find_the_new_agent()
    {
        var old = new Commits(new AgentId(AgentKind.Execution, "ns", "a"));
        await AppendAsync(old, 3);
        await Store.WriteSnapshotAsync(old.Handle, SnapshotOf(old, 2, [2]), Cancellation);
        JournalHandle[] handles = [.. Enumerable.Range(0, 4).Select(_ => new JournalHandle(old.Agent) { StoreKey = old.Handle.StoreKey })];
        AppendUnit inFlight = old.NextUnit();
        Assert.True(await Retention.DeleteAgentAsync(new JournalHandle(old.Agent), old.Version, old.Hash, Cancellation));
        var again = new Commits(old.Agent);
        await AppendIndexedAsync(again, RowOf(status: 5));
        await AppendAsync(again, 3);

        await WriteAsync(inFlight);
        await Assert.ThrowsAsync<StateConflictException>(
            () => Store.WriteSnapshotAsync(new JournalHandle(old.Agent), SnapshotOf(old, 2, [2]), Cancellation));

        Assert.Equal(AppendOutcome.Conflict, inFlight.Outcome);
        await AssertJournalIsAsync(again);
        Assert.Equal(again.Hash, (await Store.ReadHeadAsync(handles[0], Cancellation))!.Hash);
        Assert.Equal(4, await Store.ReadForwardAsync(handles[1], new AgentVersion(1), new AgentVersion(9), Cancellation).CountAsync(Cancellation));
        Assert.Equal(again.Version, await Store.FindVersionAtTimeAsync(handles[2], again.Time, Cancellation));
        Assert.Equal(new AgentVersion(1), await Store.FindVersionAtTsAsync(handles[3], again.Acknowledged[0].CommitTs, Cancellation));
        Assert.Empty(await SnapshotVersionsAsync(again));
        Assert.Equal(5, Assert.Single(await Index.QueryAsync(Executions(), Cancellation)).Row.Status);
    }

    [Fact]
    public async Task The_feed_goes_on_after_deleted_commits_and_no_position_is_given_twice()
    {
        Commits first = new("a"), last = new("b");
        await AppendAsync(first, 2);
        await AppendAsync(last, 2);
        CommitTs end = await Store.ReadFeedEndAsync(Cancellation);
        Assert.True(await Retention.DeleteAgentAsync(last.Handle, last.Version, last.Hash, Cancellation));
        await ReopenAsync();

        FeedPage behind = await Store.ReadFeedAsync(end, 10, null, Cancellation);
        Assert.Empty(behind.Commits);
        Assert.True(behind.AtEnd);
        AssertSameFeed(FeedOf(first), await ReadFeedToEndAsync(limit: 1));
        var next = new Commits("c");
        await AppendAsync(next);
        Assert.True(next.Acknowledged[0].CommitTs > end, $"{next.Acknowledged[0].CommitTs} comes after {end}");
        AssertSameFeed(FeedOf(next), await ReadFeedToEndAsync(after: end));
        Assert.True(await Retention.DeleteAgentAsync(first.Handle, first.Version, first.Hash, Cancellation));
        AssertSameFeed(FeedOf(next), await ReadFeedToEndAsync(limit: 1));
        // Read with the number of an agent that is gone: nobody else must have got it.
        Assert.Empty(await Store.ReadForwardAsync(first.Handle, new AgentVersion(1), new AgentVersion(9), Cancellation).ToListAsync(Cancellation));
    }

    [Fact]
    public async Task A_row_number_of_a_deleted_agent_never_leads_to_another_agent()
    {
        var gone = new Commits("gone");
        await AppendAsync(gone, 2);
        long number = gone.Handle.StoreKey;
        Assert.True(await Retention.DeleteAgentAsync(new JournalHandle(gone.Agent), gone.Version, gone.Hash, Cancellation));
        await ReopenAsync();
        var other = new Commits("other");
        await AppendAsync(other, 2);

        var stale = new JournalHandle(gone.Agent) { StoreKey = number };
        Assert.Empty(await Store.ReadForwardAsync(stale, new AgentVersion(1), new AgentVersion(9), Cancellation).ToListAsync(Cancellation));
        Assert.Null(await Store.ReadHeadAsync(new JournalHandle(gone.Agent) { StoreKey = number }, Cancellation));
    }

    [Fact]
    public async Task Of_many_agents_deleted_at_once_those_go_that_end_as_expected()
    {
        Commits[] agents = [.. Enumerable.Range(0, 300).Select(i => new Commits($"agent-{i:d3}"))];
        await WriteAsync([.. agents.Select(agent => agent.NextUnit(2))]);
        foreach (Commits agent in agents)
        {
            foreach (JournalCommit commit in await ReadAllAsync(agent.Agent))
                agent.Resume(commit);
        }
        foreach (Commits moved in agents.Where((_, i) => i % 7 == 0))
            await AppendAsync(moved);
        AgentEnd[] ends = [.. agents.Select((agent, i) =>
            i % 7 == 0 ? new AgentEnd(agent.Handle, new AgentVersion(2), agent.Acknowledged[1].Hash) : new AgentEnd(agent.Handle, agent.Version, agent.Hash))];

        IReadOnlyList<bool> removed = await Retention.DeleteAgentsAsync(ends, Cancellation);

        Assert.Equal(agents.Select((_, i) => i % 7 != 0), removed);
        Assert.Empty(await Retention.DeleteAgentsAsync([], Cancellation));
        foreach (Commits left in agents.Where((_, i) => i % 7 == 0))
            await AssertJournalIsAsync(left);
        Assert.Equal(agents.Count(a => a.Version.Value == 3) * 3, (await ReadFeedToEndAsync()).Count);
    }

    [Fact]
    public async Task Deleting_and_appending_at_once_ends_each_round_with_one_of_both()
    {
        IJournalStore[] stores = await OpenRacersAsync();
        for (int round = 0; round < 25; round++)
        {
            var agent = new Commits(new AgentId(AgentKind.Execution, "ns", $"run-{round}"));
            await AppendIndexedAsync(agent, RowOf(status: 1));
            var unit = new AppendUnit([Commits.Indexed(agent.Next(), RowOf(status: 2))]);
            Task<bool> deleting = Task.Run(
                () => ((IJournalRetention)stores[1]).DeleteAgentAsync(new JournalHandle(agent.Agent), agent.Version, agent.Hash, Cancellation), Cancellation);
            await Task.WhenAll(deleting, Task.Run(() => stores[0].WriteAsync([unit], Cancellation), Cancellation));

            Assert.Equal(await deleting ? AppendOutcome.Conflict : AppendOutcome.Appended, unit.Outcome);
            if (await deleting)
            {
                await AssertGoneAsync(agent);
                continue;
            }
            agent.Acknowledge(unit.Runs[0]);
            await AssertJournalIsAsync(agent);
            Assert.Equal(2, Assert.Single(await Index.QueryAsync(Executions(), Cancellation), f => f.Agent == agent.Agent).Row.Status);
        }
        await CloseRacersAsync(stores);
    }

    /// <summary>Nothing of the agent is found in any way.</summary>
    private async Task AssertGoneAsync(Commits agent)
    {
        Assert.Null(await Store.ReadHeadAsync(new JournalHandle(agent.Agent), Cancellation));
        Assert.Empty(await ReadAllAsync(agent.Agent));
        Assert.Empty(await Store.ListSnapshotsAsync(new JournalHandle(agent.Agent), Cancellation));
        Assert.DoesNotContain(
            await Store.ListAgentsAsync(agent.Agent.Kind, agent.Agent.Namespace, "", null, 1000, Cancellation), head => head.Agent == agent.Agent);
        Assert.DoesNotContain(await ReadFeedToEndAsync(), c => c.Agent == agent.Agent);
        Assert.DoesNotContain(
            await Index.QueryAsync(new IndexQuery(agent.Agent.Kind, agent.Agent.Namespace, 1000), Cancellation), f => f.Agent == agent.Agent);
    }

    private static byte[] WithDetail(string canonical, string? detail) =>
        Encoding.UTF8.GetBytes(detail is null ? canonical : $"{canonical}\0{detail}");

    private static void AssertChains(AgentId agent, IReadOnlyList<JournalCommit> commits)
    {
        CommitHash hash = CommitHash.Genesis(agent);
        foreach (JournalCommit commit in commits)
        {
            hash = CommitHash.Chain(hash, commit.Version, commit.Time, commit.TxnId, commit.Body.Span);
            Assert.Equal(hash, commit.Hash);
        }
    }
}

using Npgsql;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>Index rows and removals between several processes, in orders that locks bring about.</summary>
public sealed class PostgresIndexTests : PostgresFixture
{
    [Fact]
    public async Task Appends_without_index_rows_run_none_of_the_index_functions()
    {
        PostgresJournalStore store = await OpenAsync();
        Commits[] agents = [new("a"), new("b")];
        await ExecuteAsync("""
            drop function statehouse.append_indexed; drop function statehouse.append_units_indexed; drop function statehouse.write_index;
            """);

        await AppendAsync(store, agents[0], 2);
        await AppendAsync(store, agents[0]);
        var txnId = Guid.NewGuid();
        var together = new AppendUnit([.. agents.Select(agent => agent.Next(txnId))]);
        await store.WriteAsync([together], Cancellation);

        Assert.Equal(AppendOutcome.Appended, together.Outcome);
        await Assert.ThrowsAsync<InvariantBrokenException>(() => store.WriteAsync([Commits.Indexed(new Commits("c").NextUnit())], Cancellation));
    }

    [Fact]
    public async Task An_append_whose_index_row_cannot_be_written_is_not_there_either()
    {
        PostgresJournalStore store = await OpenAsync();
        Commits agent = new("a"), other = new("b");
        await AppendAsync(store, agent);
        await ExecuteAsync("alter table statehouse.agent_index add constraint refused check (name <> 'a')");
        AppendUnit bad = Commits.Indexed(agent.NextUnit()), good = Commits.Indexed(other.NextUnit());

        await Assert.ThrowsAsync<InvariantBrokenException>(() => store.WriteAsync([bad, good], Cancellation));

        Assert.Equal((AppendOutcome.Pending, AppendOutcome.Appended), (bad.Outcome, good.Outcome));
        Assert.Single(await VerifyAsync(store, agent));
        Assert.Equal("b", Assert.Single(await store.QueryAsync(new IndexQuery(AgentKind.Agent, "default", 10), Cancellation)).Agent.Name);
    }

    [Fact]
    public async Task Backend_terminated_before_the_index_row_was_written_leaves_neither_commit_nor_row()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("a");
        AppendUnit first = Commits.Indexed(agent.NextUnit());
        await store.WriteAsync([first], Cancellation);
        agent.Acknowledge(first.Runs[0]);

        // The index row is held, not the agent's: the append has inserted its commits and waits for the row.
        await using (NpgsqlConnection holder = await PostgresCluster.ConnectAsync(Database))
        {
            await RunAsync(holder, "begin; select from statehouse.agent_index for update");
            Task writing = store.WriteAsync([Commits.Indexed(agent.NextUnit())], Cancellation);
            await WaitUntilAppendIsBlockedAsync();
            await ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
            await Assert.ThrowsAsync<JournalOutcomeUnknownException>(() => writing);
        }

        Assert.Single(await VerifyAsync(store, agent));
        await Commits.AssertIndexMatchesAsync(store, [agent.Agent], Cancellation);
    }

    [Fact]
    public async Task An_append_that_waits_for_a_removal_conflicts_and_a_removal_that_waits_for_an_append_removes_nothing()
    {
        PostgresJournalStore writer = await OpenAsync(), remover = await OpenAsync();
        foreach (bool removalFirst in (bool[])[true, false])
        {
            var agent = new Commits(removalFirst ? "removed" : "kept");
            AppendUnit first = Commits.Indexed(agent.NextUnit());
            await writer.WriteAsync([first], Cancellation);
            agent.Acknowledge(first.Runs[0]);
            AppendUnit unit = Commits.Indexed(agent.NextUnit());
            Task<bool> RemoveAsync() => remover.DeleteAgentAsync(new JournalHandle(agent.Agent), agent.Version, agent.Hash, Cancellation);
            Task writing, removing;

            // Both wait for the row; it goes to them in the order in which they came.
            await using (NpgsqlConnection holder = await HoldRowAsync(agent))
            {
                if (removalFirst)
                {
                    removing = RemoveAsync();
                    await WaitUntilBlockedAsync(1);
                    writing = writer.WriteAsync([unit], Cancellation);
                }
                else
                {
                    writing = writer.WriteAsync([unit], Cancellation);
                    await WaitUntilBlockedAsync(1);
                    removing = RemoveAsync();
                }
                await WaitUntilBlockedAsync(2);
            }
            await Task.WhenAll(writing, removing);

            Assert.Equal(removalFirst, await (Task<bool>)removing);
            Assert.Equal(removalFirst ? AppendOutcome.Conflict : AppendOutcome.Appended, unit.Outcome);
            Assert.Equal(removalFirst ? 0 : 2, await CountAsync($"statehouse.journal where stream_id = {agent.Handle.StoreKey}"));
            Assert.Equal(removalFirst ? 0 : 1, await CountAsync($"statehouse.agent_index where stream_id = {agent.Handle.StoreKey}"));
            Assert.Equal(removalFirst ? 0 : 2, await CountAsync($"statehouse.agent_facet where stream_id = {agent.Handle.StoreKey}"));
        }
    }

    [Fact]
    public async Task A_snapshot_that_waits_for_a_removal_is_not_kept()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("a");
        await AppendAsync(store, agent);
        await using NpgsqlConnection remover = await PostgresCluster.ConnectAsync(Database);
        await RunAsync(remover, $"""
            begin;
            select statehouse.delete_agents(array[0::smallint], array['default'], array['a'], array[1::bigint], array['\x{agent.Hash}'::bytea])
            """);

        Task writing = store.WriteSnapshotAsync(agent.Handle, new JournalSnapshot(agent.Version, agent.Hash, new byte[] { 1 }), Cancellation);
        await WaitUntilBlockedAsync(1);
        await RunAsync(remover, "commit");

        await Assert.ThrowsAsync<StateConflictException>(() => writing);
        Assert.Equal(0, await CountAsync("statehouse.snapshot"));
    }

    [Fact]
    public async Task A_name_that_one_process_removes_can_be_created_by_another_that_waits_for_it()
    {
        PostgresJournalStore store = await OpenAsync();
        Commits old = new("a"), again = new("a");
        await AppendAsync(store, old, 3);
        await using NpgsqlConnection remover = await PostgresCluster.ConnectAsync(Database);
        await RunAsync(remover, $"""
            begin;
            select statehouse.delete_agents(array[0::smallint], array['default'], array['a'], array[3::bigint], array['\x{old.Hash}'::bytea])
            """);

        AppendUnit creating = Commits.Indexed(again.NextUnit());
        Task writing = store.WriteAsync([creating], Cancellation);
        await WaitUntilBlockedAsync(1);
        await RunAsync(remover, "commit");
        await writing;

        Assert.Equal(AppendOutcome.Appended, creating.Outcome);
        again.Acknowledge(creating.Runs[0]);
        Assert.Single(await VerifyAsync(store, again));
        await Commits.AssertIndexMatchesAsync(store, [again.Agent], Cancellation);
    }

    [Fact]
    public async Task A_feed_whose_newest_commits_are_removed_while_its_page_is_cut_goes_on()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("a");
        await AppendAsync(store, agent, 3);
        // What the window sees when the removal falls between its statements: an end, and nothing before it.
        await ExecuteAsync("""
            create or replace function statehouse.feed_end() returns bigint language plpgsql as $$
            declare found bigint := (select max(commit_ts) from statehouse.journal);
            begin
              delete from statehouse.journal; delete from statehouse.stream;
              return coalesce(found, 0);
            end $$
            """);

        FeedPage page = await store.ReadFeedAsync(CommitTs.None, 10, null, Cancellation);

        Assert.Empty(page.Commits);
        Assert.Equal((agent.Acknowledged[^1].CommitTs, true), (page.Through, page.AtEnd));
    }

    private Task WaitUntilBlockedAsync(int sessions) => PostgresCluster.WaitUntilAsync(
        Database,
        $"select count(*) = {sessions} from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        $"{sessions} sessions wait for a lock");

    private Task<long> CountAsync(string what) => PostgresCluster.QueryAsync<long>(Database, $"select count(*) from {what}");
}

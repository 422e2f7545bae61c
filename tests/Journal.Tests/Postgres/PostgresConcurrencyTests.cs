using Npgsql;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>Several processes on one database: rows are taken in one order, and a rollback is not an outcome.</summary>
public sealed class PostgresConcurrencyTests : PostgresFixture
{
    private const int Agents = 40;

    [Fact]
    public async Task Two_servers_that_append_to_the_same_agents_from_both_ends_never_block_each_other_for_good()
    {
        PostgresJournalStore left = await OpenAsync(), right = await OpenAsync();
        Commits[] agents = await CreatedAsync(left);
        foreach (Func<Commits[], AppendUnit[]> batchOf in (Func<Commits[], AppendUnit[]>[])[Singles, Pairs])
        {
            AppendUnit[] forward = batchOf(agents), backward = [.. batchOf(agents).Reverse()];
            // Both get as far as the row in the middle: from there on each would want what the other holds.
            await using NpgsqlConnection holder = await HoldRowAsync(agents[Agents / 2]);
            await RaceAsync(holder, left.WriteAsync(forward, Cancellation), right.WriteAsync(backward, Cancellation));

            AcknowledgeWinners(agents, forward, [.. backward.Reverse()]);
        }

        AssertNothingWasRolledBack();
        foreach (Commits agent in agents)
            Assert.Equal(3, (await VerifyAsync(left, agent)).Count);
    }

    [Fact]
    public async Task Two_servers_that_create_the_same_agents_from_both_ends_never_block_each_other_for_good()
    {
        PostgresJournalStore left = await OpenAsync(), right = await OpenAsync();
        Commits[] agents = [.. Enumerable.Range(0, Agents).Select(i => new Commits($"agent-{i:d2}"))];
        AppendUnit[] forward = Singles(agents), backward = [.. Singles(agents).Reverse()];
        await using NpgsqlConnection holder = await PostgresCluster.ConnectAsync(Database);
        await RunAsync(holder, $"begin; insert into statehouse.stream values (-1, 0, 'default', 'agent-{Agents / 2}', 0, '', 1, 0)");
        await RaceAsync(holder, left.WriteAsync(forward, Cancellation), right.WriteAsync(backward, Cancellation));

        AcknowledgeWinners(agents, forward, [.. backward.Reverse()]);
        AssertNothingWasRolledBack();
        foreach (Commits agent in agents)
            Assert.Single(await VerifyAsync(left, agent));
    }

    [Fact]
    public async Task Of_two_batches_over_the_same_agents_one_unit_of_each_pair_wins_round_after_round()
    {
        PostgresJournalStore left = await OpenAsync(), right = await OpenAsync();
        Commits[] agents = [.. Enumerable.Range(0, Agents).Select(i => new Commits($"agent-{i:d2}"))];
        for (int round = 0; round < 20; round++)
        {
            AppendUnit[] forward = round % 3 == 2 ? Pairs(agents) : Singles(agents);
            AppendUnit[] backward = [.. (round % 3 == 2 ? Pairs(agents) : Singles(agents)).Reverse()];
            await Task.WhenAll(
                Task.Run(() => left.WriteAsync(forward, Cancellation), Cancellation),
                Task.Run(() => right.WriteAsync(backward, Cancellation), Cancellation));
            AcknowledgeWinners(agents, forward, [.. backward.Reverse()]);
        }

        AssertNothingWasRolledBack();
        foreach (Commits agent in agents)
            Assert.Equal(20, (await VerifyAsync(left, agent)).Count);
    }

    [Fact]
    public async Task A_deadlock_with_a_foreign_session_is_repeated_and_goes_in()
    {
        // The one whose patience ends first is rolled back: the foreign session's must be the longer one.
        await ExecuteAsync($"alter database {new NpgsqlConnectionStringBuilder(Database).Database} set deadlock_timeout = '3s'");
        PostgresJournalStore store = await OpenAsync();
        Commits[] agents = [new("a"), new("b")];
        foreach (Commits agent in agents)
            await AppendAsync(store, agent);
        AppendUnit[] batch = [.. agents.Select(agent => agent.NextUnit())];

        await using NpgsqlConnection foreign = await HoldRowAsync(agents[1]);
        await RunAsync(foreign, "set deadlock_timeout = '60s'");
        Task writing = store.WriteAsync(batch, Cancellation);
        await WaitUntilAppendIsBlockedAsync();
        await RunAsync(foreign, "select 1 from statehouse.stream where name = 'a' for update; rollback");
        await writing;

        Assert.Contains(OperatorLog.Messages, message => message.Message.Contains("40P01", StringComparison.Ordinal));
        Assert.All(batch, unit => Assert.Equal(AppendOutcome.Appended, unit.Outcome));
        for (int i = 0; i < agents.Length; i++)
        {
            agents[i].Acknowledge(batch[i].Runs[0]);
            Assert.Equal(2, (await VerifyAsync(store, agents[i])).Count);
        }
    }

    [Fact]
    public async Task Row_numbers_of_two_processes_never_meet()
    {
        PostgresJournalStore left = await OpenAsync(), right = await OpenAsync();
        Commits[] agents = [.. Enumerable.Range(0, 2400).Select(i => new Commits($"agent-{i}"))];
        for (int first = 0; first < agents.Length; first += 800)
        {
            PostgresJournalStore store = first == 800 ? right : left;
            AppendUnit[] batch = [.. agents[first..(first + 800)].Select(agent => agent.NextUnit())];
            await store.WriteAsync(batch, Cancellation);
            Assert.All(batch, unit => Assert.Equal(AppendOutcome.Appended, unit.Outcome));
        }

        Assert.Equal(agents.Length, agents.Select(agent => agent.Handle.StoreKey).Distinct().Count());
    }

    /// <summary>Agents with one commit each, in the order of their row numbers.</summary>
    private static async Task<Commits[]> CreatedAsync(IJournalStore store)
    {
        Commits[] agents = [.. Enumerable.Range(0, Agents).Select(i => new Commits($"agent-{i:d2}"))];
        foreach (Commits agent in agents)
            await AppendAsync(store, agent);
        return agents;
    }

    /// <summary>Lets both wait, in the end for the same foreign session, then ends that and waits for both.</summary>
    private async Task RaceAsync(NpgsqlConnection holder, Task left, Task right)
    {
        await PostgresCluster.WaitUntilAsync(
            Database,
            "select count(*) = 2 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%statehouse.append%'",
            "both appends wait for a lock");
        await RunAsync(holder, "rollback");
        await Task.WhenAll(left, right);
    }

    private void AssertNothingWasRolledBack() =>
        Assert.DoesNotContain(OperatorLog.Messages, message => message.Message.Contains("rolled", StringComparison.Ordinal));

    private static AppendUnit[] Singles(Commits[] agents) => [.. agents.Select(agent => Forgotten(agent).NextUnit())];

    /// <summary>Units over two agents each.</summary>
    private static AppendUnit[] Pairs(Commits[] agents) => [.. agents.Chunk(2).Select(pair =>
    {
        var txnId = Guid.NewGuid();
        return new AppendUnit([.. pair.OrderBy(agent => agent.Agent).Select(agent => Forgotten(agent).Next(txnId))]);
    })];

    /// <summary>Each server has a handle of its own.</summary>
    private static Commits Forgotten(Commits agent)
    {
        agent.ForgetHandle();
        return agent;
    }

    private static void AcknowledgeWinners(Commits[] agents, AppendUnit[] left, AppendUnit[] right)
    {
        foreach ((AppendUnit one, AppendUnit other) in left.Zip(right))
        {
            AppendUnit winner = Assert.Single([one, other], unit => unit.Outcome == AppendOutcome.Appended);
            Assert.Equal(AppendOutcome.Conflict, (winner == one ? other : one).Outcome);
            foreach (AppendRun run in winner.Runs)
                agents.Single(agent => agent.Agent == run.Handle.Agent).Acknowledge(run);
        }
    }
}

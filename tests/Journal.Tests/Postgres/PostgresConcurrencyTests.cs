using Npgsql;
using Statehouse.Journal.Postgres;

namespace Statehouse.Journal.Tests;

/// <summary>Several processes on one database: rows are taken in one order, and a rollback is not an outcome.</summary>
public sealed class PostgresConcurrencyTests : PostgresFixture
{
    private const int Agents = 40;

    [Fact]
    public async Task Batches_over_the_same_agents_in_opposite_orders_never_deadlock_and_one_of_each_pair_wins()
    {
        PostgresJournalStore left = await OpenAsync(), right = await OpenAsync();
        Commits[] agents = [.. Enumerable.Range(0, Agents).Select(i => new Commits($"agent-{i}"))];
        for (int round = 0; round < 25; round++)
        {
            // The first round creates them all, from both sides. Every third batch holds units over several agents.
            AppendUnit[] forward = Batch(agents, round), backward = [.. Batch(agents, round).Reverse()];
            await Task.WhenAll(
                Task.Run(() => left.WriteAsync(forward, Cancellation), Cancellation),
                Task.Run(() => right.WriteAsync(backward, Cancellation), Cancellation));

            AcknowledgeWinners(agents, forward, [.. backward.Reverse()]);
        }

        Assert.DoesNotContain(OperatorLog.Messages, message => message.Message.Contains("rolled", StringComparison.Ordinal));
        foreach (Commits agent in agents)
            Assert.Equal(25, (await VerifyAsync(left, agent)).Count);
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

    /// <summary>Single runs, and in every third round units over four agents each.</summary>
    private static AppendUnit[] Batch(Commits[] agents, int round)
    {
        foreach (Commits agent in agents)
            agent.ForgetHandle();
        return round % 3 != 2
            ? [.. agents.Select(agent => agent.NextUnit())]
            : [.. agents.OrderBy(agent => agent.Agent).Chunk(4).Select(Together)];
    }

    private static AppendUnit Together(Commits[] agents)
    {
        var txnId = Guid.NewGuid();
        return new AppendUnit([.. agents.Select(agent => agent.Next(txnId))]);
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

using Npgsql;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>commit_ts is drawn before a transaction ends: the feed must not pass one that becomes visible late.</summary>
public sealed class PostgresFeedBarrierTests : PostgresFixture
{
    [Fact]
    public async Task A_transaction_that_ends_late_holds_the_feed_back_and_nothing_is_skipped()
    {
        PostgresJournalStore store = await OpenAsync();
        Commits early = new("early"), late = new("late"), overtaker = new("overtaker");
        await AppendAsync(store, early);

        await using OpenAppend open = await OpenAppend.StartAsync(Database, 1_000_001, late.NextUnit(2));
        await AppendAsync(store, overtaker, 3);
        Assert.True(overtaker.Acknowledged[0].CommitTs > open.CommitTs[^1], "The overtaker should have drawn later numbers.");
        FeedPage before = await store.ReadFeedAsync(CommitTs.None, 1000, null, Cancellation);
        CommitTs endBefore = await store.ReadFeedEndAsync(Cancellation);
        await open.CommitAsync();
        FeedPage after = await store.ReadFeedAsync(before.Through, 1000, null, Cancellation);

        Assert.Equal(["early"], before.Commits.Select(c => c.Agent.Name));
        Assert.Equal(early.Acknowledged[0].CommitTs, endBefore);
        Assert.Equal(["late", "late", "overtaker", "overtaker", "overtaker"], after.Commits.Select(c => c.Agent.Name));
        Assert.True(after.AtEnd);
        Assert.Equal(overtaker.Acknowledged[^1].CommitTs, after.Through);
    }

    [Fact]
    public async Task A_transaction_that_fails_late_releases_the_feed_and_leaves_nothing()
    {
        PostgresJournalStore store = await OpenAsync();
        Commits lost = new("lost"), overtaker = new("overtaker");

        await using (await OpenAppend.StartAsync(Database, 1_000_001, lost.NextUnit()))
        {
            await AppendAsync(store, overtaker);
            Assert.Empty((await store.ReadFeedAsync(CommitTs.None, 1000, null, Cancellation)).Commits);
        }

        FeedPage page = await store.ReadFeedAsync(CommitTs.None, 1000, null, Cancellation);
        Assert.Equal(["overtaker"], page.Commits.Select(c => c.Agent.Name));
    }

    [Fact]
    public async Task Transactions_that_end_in_any_order_are_each_seen_once_in_commit_ts_order()
    {
        PostgresJournalStore store = await OpenAsync();
        var random = new Random(20260131);
        var open = new List<OpenAppend>();
        var seen = new List<FeedCommit>();
        var expected = new List<CommitTs>();
        CommitTs after = CommitTs.None;
        for (int step = 0; step < 150; step++)
        {
            if (open.Count < 6 && random.Next(3) > 0)
                open.Add(await OpenAppend.StartAsync(Database, 1_000_000 + step, new Commits($"agent-{step}").NextUnit(1 + step % 2)));
            else if (open.Count > 0)
                await EndOneAsync();
            FeedPage page = await store.ReadFeedAsync(after, 3, null, Cancellation);
            seen.AddRange(page.Commits);
            after = page.Through;
        }
        while (open.Count > 0)
            await EndOneAsync();
        seen.AddRange((await store.ReadFeedAsync(after, 1000, null, Cancellation)).Commits);

        Assert.Equal(expected.Order(), seen.Select(c => c.Commit.CommitTs));

        async Task EndOneAsync()
        {
            OpenAppend chosen = open[random.Next(open.Count)];
            open.Remove(chosen);
            if (random.Next(4) > 0)
            {
                expected.AddRange(chosen.CommitTs);
                await chosen.CommitAsync();
            }
            await chosen.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_number_that_nobody_committed_is_never_named_as_the_feeds_end()
    {
        // After a crash the sequence may hand such a number out again; a reader past it would skip its commit.
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        await AppendAsync(store, agent);
        await using (await OpenAppend.StartAsync(Database, 1_000_001, new Commits("lost").NextUnit(5)))
        {
        }

        Assert.Equal(agent.Acknowledged[0].CommitTs, await store.ReadFeedEndAsync(Cancellation));
        Assert.Equal(agent.Acknowledged[0].CommitTs, (await store.ReadFeedAsync(CommitTs.None, 10, null, Cancellation)).Through);
        Assert.Equal(agent.Acknowledged[0].CommitTs, (await store.ReadFeedAsync(CommitTs.None, 10, "other", Cancellation)).Through);
    }

    [Fact]
    public async Task Appends_in_another_database_of_the_server_do_not_hold_the_feed_back()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        string otherDatabase = await Cluster.CreateDatabaseAsync();
        await using (PostgresJournalStore other = await PostgresJournalStore.OpenAsync(
            new PostgresJournalOptions { ConnectionString = otherDatabase }, OperatorLog, Cancellation))
        await using (await OpenAppend.StartAsync(otherDatabase, 1_000_001, new Commits("elsewhere").NextUnit()))
        {
            await AppendAsync(store, agent);
            Assert.Single((await store.ReadFeedAsync(CommitTs.None, 10, null, Cancellation)).Commits);
        }
        await Cluster.DropDatabaseAsync(otherDatabase);
    }

    [Fact]
    public async Task A_page_stays_within_its_bytes_but_never_splits_a_transaction()
    {
        PostgresJournalStore store = await OpenAsync();
        Commits[] agents = [.. Enumerable.Range(0, 6).Select(i => new Commits($"agent-{i}"))];
        byte[] body = Commits.Body(1, padding: 1_500_000);
        foreach (Commits agent in agents)
            await store.WriteAsync([new AppendUnit([agent.Next(body)])], Cancellation);
        Commits[] pair = [new("pair-a"), new("pair-b")];
        var txnId = Guid.NewGuid();
        await store.WriteAsync([new AppendUnit([.. pair.Select(agent => agent.Next(txnId))])], Cancellation);

        var pages = new List<int>();
        FeedPage page = new([], CommitTs.None, AtEnd: false);
        while (!page.AtEnd)
        {
            page = await store.ReadFeedAsync(page.Through, 1000, null, Cancellation);
            pages.Add(page.Commits.Count);
        }

        Assert.Equal([2, 2, 4], pages);
    }

    /// <summary>An append whose transaction has done everything but end.</summary>
    private sealed class OpenAppend(NpgsqlConnection session, IReadOnlyList<CommitTs> commitTs) : IAsyncDisposable
    {
        public IReadOnlyList<CommitTs> CommitTs { get; } = commitTs;

        /// <param name="database">Where.</param>
        /// <param name="streamId">A row number that no store draws in this test.</param>
        /// <param name="unit">Creates one agent.</param>
        public static async Task<OpenAppend> StartAsync(string database, long streamId, AppendUnit unit)
        {
            NpgsqlConnection session = await PostgresCluster.ConnectAsync(database);
            await RunAsync(session, "begin");
            var arguments = new AppendArguments([new RunSlot(unit.Runs[0], 1, streamId)]);
            await using var command = new NpgsqlCommand(SqlText.Append, session);
            arguments.AddTo(command);
            long[] positions = (long[])(await command.ExecuteScalarAsync(Cancellation))!;
            arguments.Settle([unit], positions);
            Assert.Equal(AppendOutcome.Appended, unit.Outcome);
            return new OpenAppend(session, [.. unit.Runs[0].CommitTs]);
        }

        public Task CommitAsync() => RunAsync(session, "commit");

        /// <summary>Ends the session; what was not committed is rolled back before this returns.</summary>
        public async ValueTask DisposeAsync()
        {
            await RunAsync(session, "rollback");
            await session.DisposeAsync();
        }
    }
}

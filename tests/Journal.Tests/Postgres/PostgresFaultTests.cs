using Npgsql;
using Statehouse.Journal.GroupCommit;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>What a caller learns when a session, a lock or the data is at fault, and that the next call works.</summary>
public sealed class PostgresFaultTests : PostgresFixture
{
    [Fact]
    public async Task Backend_terminated_in_mid_append_the_outcome_is_unknown_and_a_read_tells_it()
    {
        PostgresJournalStore store = await OpenAsync();
        Commits agent = new("agent"), neighbour = new("neighbour");
        await AppendAsync(store, agent);
        AppendUnit[] batch = [neighbour.NextUnit(), agent.NextUnit()];

        await using (await HoldRowAsync(agent))
        {
            Task writing = store.WriteAsync(batch, Cancellation);
            await WaitUntilAppendIsBlockedAsync();
            await ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
            await Assert.ThrowsAsync<JournalOutcomeUnknownException>(() => writing);
        }

        Assert.All(batch, unit => Assert.Equal(AppendOutcome.Pending, unit.Outcome));
        Assert.Single(await VerifyAsync(store, agent));
        Assert.Empty(await VerifyAsync(store, neighbour));
        await AppendAsync(store, agent);
        await AppendAsync(store, neighbour);
    }

    [Theory]
    [InlineData("XX000", typeof(JournalUnavailableException))]
    [InlineData("F0000", typeof(JournalUnavailableException))]
    [InlineData("XX001", typeof(InvariantBrokenException))]
    [InlineData("XX002", typeof(InvariantBrokenException))]
    public async Task Only_what_says_that_data_is_damaged_is_taken_for_damage(string sqlState, Type expected)
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        await AppendAsync(store, agent);
        await ExecuteAsync($"""
            create function public.fail() returns trigger language plpgsql as
                $$ begin raise exception 'could not write init file' using errcode = '{sqlState}'; end $$;
            create trigger fail before insert on statehouse.journal for each row execute function public.fail()
            """);
        await Assert.ThrowsAsync(expected, () => store.WriteAsync([agent.NextUnit()], Cancellation));

        await ExecuteAsync("drop trigger fail on statehouse.journal");
        Assert.Single(await VerifyAsync(store, agent));
        await AppendAsync(store, agent);
    }

    [Fact]
    public void A_connection_that_breaks_while_a_command_begins_is_a_lost_connection()
    {
        var broke = new ObjectDisposedException("connector");
        Assert.True(PostgresErrors.IsOurs(broke));
        Assert.True(PostgresErrors.BrokeTheConnection(broke));
        Assert.IsType<JournalUnavailableException>(PostgresErrors.Call(broke));
        Assert.IsType<JournalUnavailableException>(PostgresErrors.Connecting(broke));
        Assert.IsType<JournalOutcomeUnknownException>(PostgresErrors.AppendInFlight(broke));
    }

    [Fact]
    public async Task An_append_that_is_given_up_has_an_unknown_outcome_and_the_next_one_works()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        await AppendAsync(store, agent);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        await using (await HoldRowAsync(agent))
        {
            Task writing = store.WriteAsync([agent.NextUnit()], patience.Token);
            await WaitUntilAppendIsBlockedAsync();
            await patience.CancelAsync();
            await Assert.ThrowsAsync<JournalOutcomeUnknownException>(() => writing);
        }

        Assert.Single(await VerifyAsync(store, agent));
        await AppendAsync(store, agent);
    }

    [Fact]
    public async Task An_append_that_hangs_on_a_lock_is_ended_by_the_server_and_nothing_was_written()
    {
        PostgresJournalStore store = await OpenAsync(static options => options with { CommandTimeout = TimeSpan.FromMilliseconds(300) });
        var agent = new Commits("agent");
        await AppendAsync(store, agent);
        AppendUnit unit = agent.NextUnit();

        await using (await HoldRowAsync(agent))
        {
            var error = await Assert.ThrowsAsync<JournalUnavailableException>(() => store.WriteAsync([unit], Cancellation));
            Assert.Contains("timeout", error.Message, StringComparison.Ordinal);
            Assert.Contains("57014", error.Message, StringComparison.Ordinal);
        }

        Assert.Single(await VerifyAsync(store, agent));
        await AppendAsync(store, agent);
    }

    [Fact]
    public async Task After_all_idle_sessions_were_ended_one_call_fails_at_most_and_the_next_works()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        for (int round = 0; round < 3; round++)
        {
            await AppendAsync(store, agent);
            // Several idle connections of both kinds.
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => store.ReadFeedEndAsync(Cancellation)));
            await Cluster.TerminateBackendsAsync(Database);

            await Assert.ThrowsAsync<JournalUnavailableException>(() => store.PingAsync(Cancellation));
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => store.PingAsync(Cancellation)));
        }
        Assert.Equal(3, (await VerifyAsync(store, agent)).Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_unit_with_data_that_the_database_refuses_hurts_no_other_unit_of_its_batch(int place)
    {
        PostgresJournalStore store = await OpenAsync();
        Commits existing = new("existing"), created = new("created"), refused = new("with\0nul");
        await AppendAsync(store, existing);
        List<AppendUnit> batch = [existing.NextUnit(2), created.NextUnit()];
        batch.Insert(place, refused.NextUnit());

        await Assert.ThrowsAsync<InvariantBrokenException>(() => store.WriteAsync(batch, Cancellation));

        Assert.Equal(AppendOutcome.Pending, batch[place].Outcome);
        Assert.All(batch.Where((_, i) => i != place), unit => Assert.Equal(AppendOutcome.Appended, unit.Outcome));
        Assert.Equal(3, (await VerifyAsync(store, existing)).Count);
        Assert.Single(await VerifyAsync(store, created));
        Assert.Equal(2, (await store.ListAgentsAsync(AgentKind.Agent, "default", "", null, 10, Cancellation)).Count);
    }

    [Fact]
    public async Task A_name_that_is_not_well_formed_hurts_no_other_unit_of_its_batch()
    {
        PostgresJournalStore store = await OpenAsync();
        Commits good = new("good"), refused = new("half\ud800");
        AppendUnit[] batch = [refused.NextUnit(), good.NextUnit()];

        await Assert.ThrowsAsync<InvariantBrokenException>(() => store.WriteAsync(batch, Cancellation));

        Assert.Equal([AppendOutcome.Pending, AppendOutcome.Appended], batch.Select(unit => unit.Outcome));
        Assert.Single(await VerifyAsync(store, good));
        Assert.Null(await store.ReadHeadAsync(refused.Handle, Cancellation));
    }

    [Fact]
    public async Task Behind_the_group_commit_only_the_owner_of_refused_data_hears_of_it()
    {
        // The first unit keeps the lane busy until both others wait, so that they share a batch.
        PostgresJournalStore store = await OpenAsync(static options => options with { WriterCount = 1 });
        Commits busy = new("busy"), good = new("good"), refused = new("with\0nul");
        await AppendAsync(store, busy);
        await using var journal = new GroupCommitJournal(store, new GroupCommitOptions(), OperatorLog);
        Answer forBusy = new(), forGood = new(), forRefused = new();

        await using (await HoldRowAsync(busy))
        {
            Assert.True(journal.TryAppend(busy.NextUnit(), forBusy));
            await WaitUntilAppendIsBlockedAsync();
            Assert.True(journal.TryAppend(good.NextUnit(), forGood));
            Assert.True(journal.TryAppend(refused.NextUnit(), forRefused));
        }

        Assert.Null(await forBusy.Task);
        Assert.IsType<InvariantBrokenException>(await forRefused.Task);
        Assert.Null(await forGood.Task);
        Assert.Single(await VerifyAsync(store, good));
    }

    [Fact]
    public async Task Set_to_read_only_it_says_so_and_works_again_afterwards()
    {
        PostgresJournalStore store = await OpenAsync();
        var agent = new Commits("agent");
        await AppendAsync(store, agent);
        string name = new NpgsqlConnectionStringBuilder(Database).Database!;

        await ExecuteAsync($"alter database {name} set default_transaction_read_only = on");
        await EndSessionsAsync(store);
        var ping = await Assert.ThrowsAsync<JournalUnavailableException>(() => store.PingAsync(Cancellation));
        var write = await Assert.ThrowsAsync<JournalUnavailableException>(() => store.WriteAsync([agent.NextUnit()], Cancellation));
        Assert.Single(await VerifyAsync(store, agent));

        await PostgresCluster.ExecuteAsync(Cluster.ConnectionString(), $"alter database {name} reset default_transaction_read_only");
        await EndSessionsAsync(store);
        await store.PingAsync(Cancellation);
        await AppendAsync(store, agent);

        Assert.Contains("read", ping.Message, StringComparison.Ordinal);
        Assert.Contains("25006", write.Message, StringComparison.Ordinal);
    }

    /// <summary>Ends the store's sessions and lets one call find out.</summary>
    private async Task EndSessionsAsync(PostgresJournalStore store)
    {
        await Cluster.TerminateBackendsAsync(Database);
        await Assert.ThrowsAsync<JournalUnavailableException>(() => store.ReadFeedEndAsync(Cancellation));
    }

    /// <summary>Null where the unit went in.</summary>
    private sealed class Answer : IAppendObserver
    {
        private readonly TaskCompletionSource<StatehouseException?> _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<StatehouseException?> Task => _heard.Task.WaitAsync(TimeSpan.FromSeconds(30));

        public void OnAppended(AppendUnit unit) => _heard.SetResult(null);

        public void OnFailed(AppendUnit unit, StatehouseException reason) => _heard.SetResult(reason);
    }
}

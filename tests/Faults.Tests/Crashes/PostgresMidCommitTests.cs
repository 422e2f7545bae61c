using Npgsql;

namespace Statehouse.Faults.Tests.Crashes;

/// <summary>
/// A server dies while PostgreSQL stands between its rows and their commit. The batch is one implicit transaction, so
/// the server itself never stands there; a deferred constraint trigger of the test's makes its backend wait there for a lock.
/// </summary>
public sealed class PostgresMidCommitTests
{
    private const long LockNumber = 4711;

    // Shared among the appends, so that they wait for the test alone.
    private const string WaitBeforeCommit = """
        create function public.wait_before_commit() returns trigger language plpgsql as $$
        begin
          perform pg_advisory_xact_lock_shared(4711);
          return null;
        end $$;
        create constraint trigger wait_before_commit after insert on statehouse.journal
          deferrable initially deferred for each row execute function public.wait_before_commit();
        """;

    private const string SomeoneWaits = "select exists (select from pg_locks where locktype = 'advisory' and not granted)";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public async Task Died_after_the_insert_and_its_backend_was_ended_the_step_is_not_there(int stepsBefore)
    {
        await using FaultyNode node = await FaultyNode.OnPostgresAsync();
        (StepScript script, Step lost, NpgsqlConnection gate) = await DieMidCommitAsync(node, stepsBefore);
        await using (gate)
        {
            await PostgresCluster.ExecuteAsync(node.Database!, "select pg_terminate_backend(pid, 10000) from pg_locks where locktype = 'advisory' and not granted");
        }
        await node.StartAsync();
        await CheckAsync(node, script, lost, isThere: false);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public async Task Died_after_the_insert_and_its_backend_went_on_the_step_is_there_once(int stepsBefore)
    {
        await using FaultyNode node = await FaultyNode.OnPostgresAsync();
        (StepScript script, Step lost, NpgsqlConnection gate) = await DieMidCommitAsync(node, stepsBefore);
        await gate.DisposeAsync();
        await PostgresCluster.WaitUntilAsync(
            node.Database!, $"select not exists (select from pg_stat_activity where application_name = 'statehouse' and datname = current_database())", "the dead server's backends have ended");
        await node.StartAsync();
        await CheckAsync(node, script, lost, isThere: true);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public async Task Died_after_the_insert_and_its_commit_lands_after_the_restart_the_repeat_writes_nothing(int stepsBefore)
    {
        await using FaultyNode node = await FaultyNode.OnPostgresAsync();
        (StepScript script, Step lost, NpgsqlConnection gate) = await DieMidCommitAsync(node, stepsBefore);
        await using (gate)
        {
            await node.StartAsync();
            // Loads its agents as they were; then decides anew, and waits at the row that the dead one's backend holds.
            Assert.Equal(0, (await StepAudit.OfAsync(node.Http, script, Cancelled)).CountOf(lost));
            Task<bool> repeat = script.TryAsync(node.Http, lost, Cancelled);
            await PostgresCluster.WaitUntilAsync(
                node.Database!, "select exists (select from pg_locks where locktype in ('transactionid', 'tuple') and not granted)", "the repeat waits for the row");
            await gate.DisposeAsync();
            Assert.True(await repeat);
        }
        await CheckAsync(node, script, lost, isThere: true);
    }

    [Fact]
    public async Task Died_together_with_PostgreSQL_after_the_insert_the_step_is_not_there()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        await using PostgresCluster cluster = await PostgresCluster.StartNewAsync();
        await using FaultyNode node = await FaultyNode.OnPostgresAsync(cluster);
        (StepScript script, Step lost, NpgsqlConnection gate) = await DieMidCommitAsync(node, 7);
        await cluster.KillAsync();
        await gate.DisposeAsync();
        await cluster.StartAsync();
        await node.StartAsync();
        await CheckAsync(node, script, lost, isThere: false);
    }

    /// <returns>The gate: as long as it is open, nothing passes between insert and commit.</returns>
    private static async Task<(StepScript Script, Step Lost, NpgsqlConnection Gate)> DieMidCommitAsync(FaultyNode node, int stepsBefore)
    {
        await node.StartAsync();
        var script = new StepScript("default");
        await script.RunAsync(node.Http, stepsBefore, Cancelled);
        await PostgresCluster.ExecuteAsync(node.Database!, WaitBeforeCommit);
        NpgsqlConnection gate = await PostgresCluster.ConnectAsync(node.Database!);
        await using (var close = new NpgsqlCommand($"select pg_advisory_lock({LockNumber})", gate))
            await close.ExecuteNonQueryAsync(Cancelled);

        Step lost = script.Next;
        Task<bool> answer = script.TryAsync(node.Http, lost, Cancelled);
        await PostgresCluster.WaitUntilAsync(node.Database!, SomeoneWaits, "the append stands before its commit");
        await node.KillAsync();
        Assert.False(await answer);
        return (script, lost, gate);
    }

    private static async Task CheckAsync(FaultyNode node, StepScript script, Step lost, bool isThere)
    {
        Assert.Equal(isThere ? 1 : 0, (await StepAudit.OfAsync(node.Http, script, Cancelled)).CountOf(lost));
        Assert.True(await script.TryAsync(node.Http, lost, Cancelled));
        await script.RunAsync(node.Http, 4, Cancelled);
        Assert.Equal(1, (await StepAudit.OfAsync(node.Http, script, Cancelled)).CountOf(lost));
    }
}

using Npgsql;
using Statehouse.Faults.History;
using Statehouse.Faults.Injection;

namespace Statehouse.Faults.Tests.Injection;

/// <summary>Does each fault of PostgreSQL do what it says, and does it end? With two servers.</summary>
public sealed class PostgresFaultTests : IAsyncLifetime
{
    private RunningSystem _running = null!;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningSystem.StartAsync("postgres");
        Assert.Equal(Outcome.Ok, (await _running.WriteAsync()).Outcome);
    }

    public async ValueTask DisposeAsync()
    {
        if (_running is not null)
            await _running.DisposeAsync();
    }

    [Theory]
    [InlineData("kill-postgres", 1)]
    [InlineData("kill-postgres", 2)]
    [InlineData("restart-postgres", 1)]
    public async Task While_PostgreSQL_is_down_nothing_is_acknowledged_and_nothing_is_lost(string name, int seed)
    {
        IFault fault = _running.Fault(name);
        CallResult before = await _running.WriteAsync();
        await _running.InjectAsync(fault, seed);
        Assert.False(_running.System.Postgres!.Cluster.IsRunning);
        CallResult refused = await _running.WriteAsync();
        Assert.NotEqual(Outcome.Ok, refused.Outcome);
        Assert.StartsWith("SH-2", refused.Code, StringComparison.Ordinal);
        await fault.HealAsync(TestContext.Current.CancellationToken);
        CallResult after = await _running.WriteUntilAsync(Outcome.Ok);
        Assert.True(Version(after) > Version(before));
        Assert.Equal(2, _running.System.Postgres.Starts);
    }

    [Fact]
    public async Task Terminated_sessions_are_gone()
    {
        long before = await SessionsAsync();
        Assert.True(before > 0);
        string what = await _running.InjectAsync(_running.Fault("terminate-backends"), seed: 2);
        Assert.DoesNotContain("0 sessions", what, StringComparison.Ordinal);
        await _running.WriteUntilAsync(Outcome.Ok);
    }

    [Fact]
    public async Task While_connections_are_exhausted_nobody_gets_one()
    {
        IFault fault = _running.Fault("exhaust-connections");
        await _running.InjectAsync(fault);
        PostgresException refused = await Assert.ThrowsAsync<PostgresException>(() => PostgresCluster.ConnectAsync(_running.System.Postgres!.Database));
        Assert.Equal(PostgresErrorCodes.TooManyConnections, refused.SqlState);
        await fault.HealAsync(TestContext.Current.CancellationToken);
        await _running.WriteUntilAsync(Outcome.Ok);
        Assert.True(await SessionsAsync() > 0);
    }

    [Fact]
    public async Task A_full_disk_of_PostgreSQL_takes_no_more_rows_and_recovers()
    {
        IFault fault = _running.Fault("disk-full");
        await _running.InjectAsync(fault);
        string database = _running.System.Postgres!.Database;
        await Assert.ThrowsAnyAsync<NpgsqlException>(() =>
            PostgresCluster.ExecuteAsync(database, "create table filler as select repeat('x', 1000) from generate_series(1, 100000)"));
        await fault.HealAsync(TestContext.Current.CancellationToken);
        await _running.System.HealAsync(TestContext.Current.CancellationToken);
        await _running.WriteUntilAsync(Outcome.Ok);
    }

    [Fact]
    public async Task While_one_server_is_stopped_the_other_goes_on_with_the_same_agent_and_the_first_sees_it_afterwards()
    {
        IFault fault = _running.Fault("stop-server");
        await _running.InjectAsync(fault);
        CallResult written = await _running.WriteUntilAsync(Outcome.Ok);
        await fault.HealAsync(TestContext.Current.CancellationToken);
        // By turns: at least one of two meets the server that was stopped.
        CallResult one = await _running.WriteAsync();
        CallResult other = await _running.WriteAsync();
        Assert.Equal((Outcome.Ok, Outcome.Ok), (one.Outcome, other.Outcome));
        Assert.True(Version(written) < Version(one) && Version(one) < Version(other));
    }

    private Task<long> SessionsAsync() => PostgresCluster.QueryAsync<long>(
        _running.System.Postgres!.Database,
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");

    private static long Version(CallResult result) => ((CommitAnswer)result.Answer!).Receipts[0].Version;
}

using Statehouse.Silo.Tests.Hosting;

namespace Statehouse.Silo.Tests.Process;

/// <summary>How a process starts or refuses to: exit codes, one line, and what migrations do.</summary>
public sealed class StartTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("--nonsense", "--nonsense")]
    [InlineData("--role nobody", "--role")]
    [InlineData("--role silo", "--postgres")]
    public async Task A_setting_that_cannot_be_used_ends_it_with_2(string flags, string named)
    {
        await using ChildProcess process = ClusterProcess.Run(flags.Split(' '));
        Assert.Equal(2, await process.WaitForExitAsync(ClusterProcess.StartBound, Cancelled));
        Assert.Contains(named, ErrorLine(process), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrations_run_once_and_again_without_harm()
    {
        string database = await Databases.NewAsync();
        await ClusterProcess.MigrateAsync(database);
        long migrations = await PostgresCluster.QueryAsync<long>(database, "select count(*) from statehouse_orleans.migration");

        await ClusterProcess.MigrateAsync(database);

        Assert.True(migrations > 0);
        Assert.Equal(migrations, await PostgresCluster.QueryAsync<long>(database, "select count(*) from statehouse_orleans.migration"));
        Assert.Equal(0L, await PostgresCluster.QueryAsync<long>(database, "select count(*) from statehouse_orleans.orleansmembershiptable"));
    }

    [Fact]
    public async Task Without_its_tables_a_process_says_how_to_get_them()
    {
        string database = await Databases.NewAsync();
        await using ChildProcess process = ClusterProcess.Run("--role", "silo", "--postgres", database);
        Assert.Equal(1, await process.WaitForExitAsync(ClusterProcess.StartBound, Cancelled));
        Assert.Contains("--migrate", ErrorLine(process), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_away_ends_it_with_1()
    {
        await using ChildProcess process = ClusterProcess.Run("--role", "silo", "--postgres", "Host=127.0.0.1;Port=1;Username=x;Password=hush");
        Assert.Equal(1, await process.WaitForExitAsync(ClusterProcess.StartBound, Cancelled));
        Assert.DoesNotContain("hush", process.Output, StringComparison.Ordinal);
        ErrorLine(process);
    }

    [Fact]
    public async Task A_silo_port_that_is_taken_is_named()
    {
        string database = await Databases.NewAsync();
        await using ClusterProcess first = await ClusterProcess.StartAsync(database, "silo", "--migrate");
        string taken = first.Printed("silo")!;
        await using ChildProcess second = ClusterProcess.Run(
            "--role", "silo", "--postgres", database, "--silo-port", taken, "--gateway-port", "127.0.0.1:1999", "--http", "127.0.0.1:0");
        Assert.Equal(1, await second.WaitForExitAsync(ClusterProcess.StartBound, Cancelled));
        Assert.Contains(taken, ErrorLine(second), StringComparison.Ordinal);
        (await first.Api.GetAsync("/readyz")).Expect(200);
    }

    [Fact]
    public async Task A_gateway_waits_for_the_first_silo_and_can_be_told_to_stop_meanwhile()
    {
        string database = await Databases.NewAsync();
        await ClusterProcess.MigrateAsync(database);
        await using ChildProcess told = ClusterProcess.Run("--role", "gateway", "--postgres", database, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0");
        await told.WaitForOutputAsync(new("no silo to connect to"), ClusterProcess.StartBound, Cancelled);
        Assert.Equal(0, await told.TerminateAsync(ClusterProcess.StopBound, Cancelled));

        Task<ClusterProcess> waiting = ClusterProcess.StartAsync(database, "gateway");
        await using ClusterProcess silo = await ClusterProcess.StartAsync(database, "silo");
        await using ClusterProcess gateway = await waiting;
        (await gateway.Api.GetAsync("/readyz")).Expect(200);
    }

    /// <summary>The one line that tells the operator.</summary>
    private static string ErrorLine(ChildProcess process) =>
        Assert.Single(process.Output.Split('\n'), line => line.StartsWith("statehouse: ", StringComparison.Ordinal));
}

using Statehouse.Faults.Runs;

namespace Statehouse.Faults.Tests.Runs;

/// <summary>Clients work for three minutes under all faults; nothing that was promised may be broken.</summary>
public sealed class TimedRunTests
{
    // Side by side, since most of their time is waiting for what faults hold up.
    private static readonly Lazy<Task<RunReport>> Sqlite = new(() => StartAsync("sqlite"));
    private static readonly Lazy<Task<RunReport>> Postgres = new(() => StartAsync("postgres"));

    [Fact]
    public Task A_server_with_SQLite_keeps_its_promises_under_faults() => AssertCleanAsync(Sqlite);

    [Fact]
    public Task Two_servers_on_one_PostgreSQL_keep_their_promises_under_faults()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        return AssertCleanAsync(Postgres);
    }

    private static async Task AssertCleanAsync(Lazy<Task<RunReport>> wanted)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{TimedRun.SeedVariable}={TimedRun.Seed}");
        _ = Sqlite.Value;
        if (PostgresCluster.SkipReason is null)
            _ = Postgres.Value;
        RunReport report = await wanted.Value;
        string text = ReportText.Of(report);
        TestContext.Current.TestOutputHelper?.WriteLine(text);
        Assert.True(report.IsClean, text);
        Assert.Null(TimedRun.TooLittle(report));
    }

    /// <summary>Not of one test's time: the other one may still wait for it.</summary>
    private static Task<RunReport> StartAsync(string config) =>
        Task.Run(() => TimedRun.RunAsync(config, new SystemCatalog(), CancellationToken.None));
}

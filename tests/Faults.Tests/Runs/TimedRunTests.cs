using Statehouse.Faults.Runs;

namespace Statehouse.Faults.Tests.Runs;

/// <summary>Clients work for three minutes under all faults; nothing that was promised may be broken.</summary>
public abstract class TimedRunTests
{
    private protected static async Task AssertCleanAsync(string config)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{TimedRun.SeedVariable}={TimedRun.Seed}");
        RunReport report = await TimedRun.RunAsync(config, new SystemCatalog(), TestContext.Current.CancellationToken);
        string text = ReportText.Of(report);
        TestContext.Current.TestOutputHelper?.WriteLine(text);
        Assert.True(report.IsClean, text);
        Assert.Null(TimedRun.TooLittle(report));
    }
}

/// <inheritdoc/>
public sealed class SqliteTimedRunTests : TimedRunTests
{
    [Fact]
    public Task A_server_with_SQLite_keeps_its_promises_under_faults() => AssertCleanAsync("sqlite");
}

/// <inheritdoc/>
public sealed class PostgresTimedRunTests : TimedRunTests
{
    [Fact]
    public Task Two_servers_on_one_PostgreSQL_keep_their_promises_under_faults()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        return AssertCleanAsync("postgres");
    }
}

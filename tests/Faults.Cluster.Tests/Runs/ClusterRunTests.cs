using Statehouse.Faults.Runs;

namespace Statehouse.Faults.Cluster.Tests.Runs;

/// <summary>Clients of a cluster work for three minutes under all faults; nothing that was promised may be broken.</summary>
public sealed class ClusterRunTests
{
    [Fact]
    public async Task A_cluster_keeps_its_promises_under_faults()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        TestContext.Current.TestOutputHelper?.WriteLine($"{TimedRun.SeedVariable}={TimedRun.Seed}");
        RunReport report = await TimedRun.RunAsync("cluster", new ClusterCatalog(), TestContext.Current.CancellationToken);
        string text = ReportText.Of(report);
        TestContext.Current.TestOutputHelper?.WriteLine(text);
        Assert.True(report.IsClean, text);
        Assert.Null(TimedRun.TooLittle(report));
    }
}

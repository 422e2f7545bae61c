using Statehouse.Journal;

namespace Statehouse.Faults.Cluster.Tests.Crashes;

/// <summary>A silo dies at each named moment; the gateway's callers go on, and lose nothing.</summary>
public sealed class SiloCrashTests(ClusterFixture cluster) : IClassFixture<ClusterFixture>, IDisposable
{
    private const int Scripts = 8;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-silo-crash-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(CrashPoint.AfterDecide, 5)]
    [InlineData(CrashPoint.BeforeAppend, 5)]
    [InlineData(CrashPoint.AfterSend, 5)]
    [InlineData(CrashPoint.AfterCommitBeforeReply, 5)]
    [InlineData(CrashPoint.BetweenHolds, 3)]
    [InlineData(CrashPoint.BeforeParticipantsAreTold, 3)]
    [InlineData(CrashPoint.BetweenParticipants, 3)]
    [InlineData(CrashPoint.InSnapshot, 2)]
    public async Task A_silo_that_dies_in_a_write_takes_nothing_along_and_its_callers_go_on(CrashPoint point, int occurrence)
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        await using ClusterMember silo = await ClusterMember.StartFaultyAsync(cluster.Database, $"{point}:{occurrence}", TraceFile);
        var load = new ClusterLoad(cluster.Http, silo.Http, $"{point}", Scripts);
        await silo.AwaitDeathAsync();
        Assert.Equal(point, silo.Trace[^1]);
        Assert.Equal(occurrence, silo.Trace.Count(each => each == point));

        await load.AdvanceAsync(4);
        await load.EndAsync();
    }

    [Theory]
    [InlineData(CrashPoint.WhileDraining)]
    [InlineData(CrashPoint.BeforeHandover)]
    [InlineData(CrashPoint.InJournalDrain)]
    public async Task A_silo_that_dies_while_it_leaves_takes_nothing_along_and_its_callers_go_on(CrashPoint point)
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        await using ClusterMember silo = await ClusterMember.StartFaultyAsync(cluster.Database, $"{point}", TraceFile);
        var load = new ClusterLoad(cluster.Http, silo.Http, $"{point}", Scripts);
        await load.AdvanceAsync(4);
        Assert.Equal(128 + 9, await silo.Process.TerminateAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        Assert.Equal(point, silo.Trace[^1]);

        await load.AdvanceAsync(4);
        await load.EndAsync();
    }

    private string TraceFile => Path.Combine(_folder.FullName, "trace");
}

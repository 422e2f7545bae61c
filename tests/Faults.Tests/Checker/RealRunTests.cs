using Statehouse.Faults.Checker;
using Statehouse.Faults.Tests.Workloads;
using Statehouse.Faults.Workloads;

namespace Statehouse.Faults.Tests.Checker;

/// <summary>The checker on what real clients were told by a real server: nothing that is right may be called wrong.</summary>
public sealed class RealRunTests
{
    public static TheoryData<string> Names => [.. WorkloadCatalog.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_workload_without_faults_passes(string name)
    {
        int seed = Random.Shared.Next(10_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        await using ServerProcess server = await ServerProcess.StartNewAsync(TestContext.Current.CancellationToken);
        IWorkload workload = WorkloadCatalog.Create(name, WorkloadRun.Options(seed));
        RunEvidence evidence = await WorkloadRun.RunAsync(server, workload, seed, 1_000, TestContext.Current.CancellationToken);

        Verdict verdict = Judge.Passes(evidence);
        Assert.True(verdict.Checked[Rule.Linearizable] > 500, string.Join(", ", verdict.Checked));
        Assert.True(verdict.Checked[Rule.Durable] > 50, string.Join(", ", verdict.Checked));
        TestContext.Current.TestOutputHelper?.WriteLine($"{verdict.Elapsed.TotalSeconds} s: {string.Join(", ", verdict.Checked)}");
    }
}

using Statehouse.Faults.Checker;
using Statehouse.Faults.History;
using Statehouse.Faults.Workloads;

namespace Statehouse.Faults.Tests.Workloads;

public sealed class WorkloadTests
{
    private const int Calls = 1500;

    public static TheoryData<string> Names => [.. WorkloadCatalog.Names];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Without_faults_a_workload_finds_nothing_wrong_and_its_evidence_chains(string name)
    {
        int seed = Random.Shared.Next(10_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        IWorkload workload = WorkloadCatalog.Create(name, WorkloadRun.Options(seed));

        RunEvidence evidence = await WorkloadRun.RunAsync(server, workload, seed, Calls, Cancelled);

        Assert.Empty(workload.Check(evidence));
        Assert.True(evidence.Calls.Count >= Calls, $"{evidence.Calls.Count} calls");
        Assert.DoesNotContain(evidence.Calls, call => call.Result.Outcome == Outcome.Unknown);
        Assert.All(evidence.Calls.Where(call => call.Result.Outcome == Outcome.Refused), call => Assert.Equal("SH-1001", call.Result.Code));
        Assert.Contains(evidence.Calls, call => call.Protocol == "grpc");
        AssertChains(evidence);
    }

    /// <summary>Every body is exactly what its hash covers, and the feed holds every commit once.</summary>
    private static void AssertChains(RunEvidence evidence)
    {
        foreach (AgentJournal journal in evidence.Journals.Values)
        {
            string hash = HashChain.Genesis(0, journal.Agent.Namespace, journal.Agent.Id);
            foreach (JournaledCommit commit in journal.Commits)
                Assert.Equal(hash = HashChain.Next(hash, commit.Version, commit.Time, commit.TxnId, commit.Body), commit.Hash);
            Assert.Equal(journal.Commits.Count == 0 ? "" : hash, journal.HeadHash);
            Assert.Equal(journal.Commits.Count, journal.State.AgentVersion);
        }
        Assert.Equal(
            evidence.Journals.Values.SelectMany(journal => journal.Commits.Select(commit => (journal.Agent, commit.Version))).ToHashSet(),
            evidence.Feed.Select(entry => (entry.Agent, entry.Version)).ToHashSet());
    }
}

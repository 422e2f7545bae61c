using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;
using Statehouse.Faults.Workloads;

namespace Statehouse.Faults.Cluster.Tests.Clients;

/// <summary>Workloads over grains, HTTP and gRPC at once, on one cluster without faults.</summary>
public sealed class GrainClientTests(CalmCluster cluster) : IClassFixture<CalmCluster>
{
    private const int Calls = 400;

    // Enough that each protocol both writes and follows.
    private const int Seats = 9;

    public static TheoryData<string> Names => [.. WorkloadCatalog.Names];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Without_faults_a_workload_over_grains_too_finds_nothing_wrong(string name)
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        IWorkload workload = WorkloadCatalog.Create(name, new WorkloadOptions(1) { IsShared = true, Pause = TimeSpan.FromMilliseconds(5), CallsPerGeneration = 150 });
        var recorder = new Recorder();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        ended.CancelAfter(TimeSpan.FromMinutes(2));
        Task[] clients = [.. Enumerable.Range(0, Seats).Select(i => workload.RunClientAsync(
            new ClientSeat(i, new Random(i), recorder, () => cluster.System.Connect(cluster.System.Protocols[i % 3]), TimeSpan.FromSeconds(20)), ended.Token))];
        while (recorder.Count < Calls && !clients.Any(client => client.IsCompleted))
            await Task.Delay(20, Cancelled);
        await ended.CancelAsync();
        await Task.WhenAll(clients);

        RunEvidence evidence = await cluster.System.Evidence.ReadAsync(recorder, workload.Agents, Cancelled);

        Assert.Empty(workload.Check(evidence));
        Assert.True(evidence.Calls.Count >= Calls, $"{evidence.Calls.Count} calls");
        // Several clients that want the turns of the same agents may be too slow for each other on a busy machine.
        Assert.All(evidence.Calls.Where(call => call.Result.Outcome != Outcome.Ok), call => Assert.Contains(call.Result.Code, (string[])["SH-1001", "SH-2003"]));
        Assert.Contains(evidence.Calls, call => call.Protocol == "grains" && call.Result.Outcome == Outcome.Ok);
    }

    [Fact]
    public async Task A_call_whose_bound_is_over_before_it_commits_did_not_happen()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        await using IStoreClient client = cluster.System.Connect("grains");
        var agent = new AgentName("default", "bounded");
        using var bound = new CancellationTokenSource();
        var transaction = new TransactionCall([(agent, "k")], _ =>
        {
            bound.Cancel();
            return [new Share(agent, [new Write("k", "1")])];
        });

        CallResult result = await client.CallAsync(transaction, bound.Token);

        // Where the caller's end came first nothing may be written any more; where the commit came first it is there.
        var read = (ReadAnswer)(await client.CallAsync(new ReadCall(agent, "k"), Cancelled)).Answer!;
        Assert.NotEqual(Outcome.Ok, result.Outcome);
        Assert.True(result.Outcome == Outcome.Unknown || !read.Exists, $"{result} {read}");
    }
}

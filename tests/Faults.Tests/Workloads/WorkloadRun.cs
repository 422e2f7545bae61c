using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.Evidence;
using Statehouse.Faults.History;
using Statehouse.Faults.Workloads;

namespace Statehouse.Faults.Tests.Workloads;

/// <summary>A workload against one real server for a while, without faults.</summary>
internal static class WorkloadRun
{
    private const int Clients = 6;
    private static readonly TimeSpan CallBound = TimeSpan.FromSeconds(10);

    public static WorkloadOptions Options(int seed) => new(seed) { Pause = TimeSpan.FromMilliseconds(2), CallsPerGeneration = 300 };

    /// <summary>Half of the clients speak HTTP, half gRPC, until that many calls were made or the bound is over.</summary>
    public static async Task<RunEvidence> RunAsync(ServerProcess server, IWorkload workload, int seed, int calls, CancellationToken cancellationToken)
    {
        var recorder = new Recorder();
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(60));
        await using (IStoreClient first = Connect(server, 0))
            await workload.PrepareAsync(first, recorder, cancellationToken);
        Task[] clients = [.. Enumerable.Range(0, Clients).Select(i => workload.RunClientAsync(
            new ClientSeat(i, new Random(seed * 100 + i), recorder, () => Connect(server, i), CallBound), bound.Token))];
        while (recorder.Count < calls && !clients.Any(client => client.IsCompleted))
            await Task.Delay(20, cancellationToken);
        await bound.CancelAsync();
        await Task.WhenAll(clients);
        return await new HttpEvidenceReader(() => server.Address).ReadAsync(recorder, workload.Agents, cancellationToken);
    }

    private static IStoreClient Connect(ServerProcess server, int seat) =>
        seat % 2 == 0 ? new HttpStoreClient(server.Address) : new GrpcStoreClient(server.GrpcAddress);
}

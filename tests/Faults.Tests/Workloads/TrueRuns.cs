using System.Collections.Concurrent;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Workloads;

namespace Statehouse.Faults.Tests.Workloads;

/// <summary>A server, and one short run of each workload on it, made when it is first asked for.</summary>
public sealed class TrueRuns : IAsyncLifetime
{
    private const int Seed = 7;
    private const int Calls = 800;

    private readonly ConcurrentDictionary<string, Lazy<Task<(IWorkload, RunEvidence)>>> _runs = new();
    private ServerProcess? _server;

    public Task<(IWorkload Workload, RunEvidence Truth)> GetAsync(string name) =>
        _runs.GetOrAdd(name, _ => new(() => RunAsync(name))).Value;

    public async ValueTask InitializeAsync() => _server = await ServerProcess.StartNewAsync(CancellationToken.None);

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<(IWorkload, RunEvidence)> RunAsync(string name)
    {
        IWorkload workload = WorkloadCatalog.Create(name, WorkloadRun.Options(Seed));
        return (workload, await WorkloadRun.RunAsync(_server!, workload, Seed, Calls, TestContext.Current.CancellationToken));
    }
}

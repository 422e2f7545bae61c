using System.Collections.Concurrent;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>What the workloads share: their agents, generation by generation, and clients at work.</summary>
public abstract class Workload(string name, WorkloadOptions options) : IWorkload
{
    private readonly ConcurrentDictionary<AgentName, bool> _agents = new();
    private long _steps;

    public string Name => name;

    public IReadOnlyList<AgentName> Agents => [.. _agents.Keys];

    protected WorkloadOptions Options => options;

    /// <summary>Agents of a generation are fresh, and what is not there yet counts as empty: most workloads have nothing to prepare.</summary>
    public virtual Task PrepareAsync(IStoreClient client, Recorder recorder, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task RunClientAsync(ClientSeat seat, CancellationToken cancellationToken)
    {
        await using var client = new WorkloadClient(name, seat, options, cancellationToken);
        await RunAsync(client);
    }

    public abstract IEnumerable<Violation> Check(RunEvidence evidence);

    /// <summary>Works until the client is no longer running.</summary>
    protected abstract Task RunAsync(WorkloadClient client);

    /// <summary>Counts a step, and says which generation of agents it is for.</summary>
    protected int NextStep() => (int)((Interlocked.Increment(ref _steps) - 1) / options.CallsPerGeneration);

    /// <summary>The newest generation that a step was for.</summary>
    protected int Generation => (int)(Math.Max(0, Interlocked.Read(ref _steps) - 1) / options.CallsPerGeneration);

    /// <summary>An agent of this workload.</summary>
    protected AgentName Agent(int generation, string id, string @namespace = "faults")
    {
        var agent = new AgentName(@namespace, $"{name}-{options.Seed}-{generation}-{id}");
        _agents.TryAdd(agent, true);
        return agent;
    }

    protected Violation Broken(string message, params IEnumerable<RecordedCall> calls) => new(name, message, [.. calls]);
}

using System.Diagnostics;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;
using Statehouse.Faults.Systems;
using Statehouse.Faults.Workloads;

namespace Statehouse.Faults.Runs;

/// <summary>
/// Once all is healed and before any server is started anew: every server answers, over every protocol, a commit and a read of agents
/// of every workload, and streams that are open show what another server commits. A lock that nobody holds any more, a session that is
/// broken, an agent that is stuck on one server would be gone after the restart.
/// </summary>
/// <param name="system">Healed.</param>
/// <param name="recorder">Knows the probe's commits too, so that the journals hold nothing that nobody asked for.</param>
/// <param name="seed">Chooses the agents.</param>
internal sealed class RecoveryProbe(ISystemUnderTest system, Recorder recorder, int seed)
{
    /// <summary>What the report calls the probe's calls.</summary>
    public const string Name = "recovery";

    /// <summary>What its commits delete: keys that no workload has, so that no state changes.</summary>
    private const string KeyPrefix = "recovery/";

    private const int AgentsOfEachWorkload = 3;

    private const int FollowedAgents = 4;

    private static readonly TimeSpan CallBound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly long _began = Stopwatch.GetTimestamp();
    private long _keys;

    /// <summary>What a workload is to judge: the evidence without the probe's own commits.</summary>
    public static RunEvidence Without(RunEvidence evidence) => evidence with
    {
        Journals = evidence.Journals.ToDictionary(
            journal => journal.Key,
            journal => journal.Value with
            {
                Commits = [.. journal.Value.Commits.Where(commit => !commit.Operations.All(operation => operation.Key.StartsWith(KeyPrefix, StringComparison.Ordinal)))],
            }),
    };

    /// <param name="workloads">Whose agents: the newest of each, which clients wrote last, and others.</param>
    /// <param name="bound">For all together, so long after the healing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What did not answer, by agent, server and protocol.</returns>
    public async Task<IReadOnlyList<Violation>> RunAsync(IReadOnlyList<IWorkload> workloads, TimeSpan bound, CancellationToken cancellationToken)
    {
        var random = new Random(Seeds.For(seed, Name));
        AgentName[] agents = [.. workloads.SelectMany(workload => Choose(workload.Agents, random))];
        IEnumerable<Task<List<Violation>>> probes = system.Entrances.Select(entrance => Task.Run(() => ProbeAsync(entrance, agents, bound, cancellationToken)));
        List<Violation> found = [.. (await Task.WhenAll(probes)).SelectMany(found => found)];
        // What did not answer was told of; streams are only looked at where all did.
        if (found.Count > 0 || agents.Length == 0)
            return found;
        random.Shuffle(agents);
        foreach (AgentName agent in agents.Take(FollowedAgents))
            found.AddRange(await FollowAsync(agent, random));
        return found;
    }

    /// <summary>One commit through one of the servers, looked for on all.</summary>
    private async Task<IReadOnlyList<Violation>> FollowAsync(AgentName agent, Random random)
    {
        Entrance[] writers = [.. system.Entrances.Where(entrance => entrance.Protocol == "http")];
        await using var writer = new ProbeCaller(writers[random.Next(writers.Length)], recorder);
        return await CommitAsync() is { } head ? await new StreamProbe(recorder).RunAsync(Streaming, agent, head, CommitAsync) : [NotCommitted()];

        async Task<long?> CommitAsync() => (await writer.CallAsync(Commit(agent), CallBound)).Answer is CommitAnswer answer ? answer.Receipts[0].Version : null;

        Violation NotCommitted() => new(Name, $"Everything was healed and had answered, but then a commit of {agent} was not acknowledged within {CallBound.TotalSeconds:0} s", []);
    }

    private static IEnumerable<AgentName> Choose(IReadOnlyList<AgentName> agents, Random random)
    {
        AgentName[] shuffled = [.. agents.OrderBy(agent => agent.ToString(), StringComparer.Ordinal)];
        random.Shuffle(shuffled);
        return shuffled.Take(AgentsOfEachWorkload);
    }

    private async Task<List<Violation>> ProbeAsync(Entrance entrance, AgentName[] agents, TimeSpan bound, CancellationToken cancellationToken)
    {
        await using var caller = new ProbeCaller(entrance, recorder);
        List<Violation> found = [];
        foreach (AgentName agent in agents)
        {
            await AnsweredAsync(caller, () => Commit(agent), "commit");
            await AnsweredAsync(caller, () => new ReadCall(agent, KeyPrefix, IsStrong: !system.IsShared || caller.HasConditions), "read");

            async Task AnsweredAsync(ProbeCaller caller, Func<Call> call, string what)
            {
                CallResult result;
                // Each agent gets one call more even where those before it have used the time up.
                while ((result = await caller.CallAsync(call(), CallBound)).Outcome != Outcome.Ok)
                {
                    if (Stopwatch.GetElapsedTime(_began) > bound)
                    {
                        found.Add(new Violation(Name, $"Everything was healed, but {entrance.Server} did not answer a {what} of {agent} over {entrance.Protocol} within {bound.TotalSeconds:0} s; at last: {result.Code} {result.Detail}", []));
                        return;
                    }
                    await Task.Delay(RetryPause, cancellationToken);
                }
            }
        }
        return found;
    }

    /// <summary>gRPC's stream is replayed from what its server knows, which on a shared system may be old: it has no other.</summary>
    private IReadOnlyList<Entrance> Streaming => [.. system.Entrances.Where(entrance => !system.IsShared || entrance.Protocol != "grpc")];

    private CommitCall Commit(AgentName agent) => new([new Share(agent, [new Write($"{KeyPrefix}{Interlocked.Increment(ref _keys)}", null)])]);
}

/// <summary>A client of one server that goes on as a new one after a call that was not answered.</summary>
internal sealed class ProbeCaller(Entrance entrance, Recorder recorder) : IAsyncDisposable
{
    private IStoreClient _store = entrance.Connect();
    private int _client = recorder.NewClient();

    public bool HasConditions => _store.HasConditions;

    public async Task<CallResult> CallAsync(Call call, TimeSpan limit)
    {
        using var bound = new CancellationTokenSource(limit);
        CallResult result = await recorder.CallAsync(_client, RecoveryProbe.Name, _store, call, bound.Token);
        if (result.Outcome == Outcome.Ok)
            return result;
        await _store.DisposeAsync();
        (_store, _client) = (entrance.Connect(), recorder.NewClient());
        return result;
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();
}

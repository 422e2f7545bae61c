using System.Collections.Immutable;
using System.Text;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;
using Statehouse.Journal.GroupCommit;

namespace Statehouse.Costs.Tests;

/// <summary>All agents of one process over a store, as the single-node server wires them, without its protocols.</summary>
internal sealed class AgentsUnderTest : IAsyncDisposable
{
    /// <summary>A value as agents write them: about 200 bytes.</summary>
    public static readonly JsonText Value = TextOf(200);

    private readonly GroupCommitJournal _journal;
    private readonly HeldStore _door;

    /// <param name="store">Disposed with this.</param>
    /// <param name="snapshotTailBytesMin">As <see cref="LocalAgentsOptions.SnapshotTailBytesMin"/>; default: no snapshot comes between what is counted.</param>
    public AgentsUnderTest(IJournalStore store, long snapshotTailBytesMin = long.MaxValue)
    {
        (IJournalStore held, _door) = HeldStore.Before(store);
        _journal = new GroupCommitJournal(held, new GroupCommitOptions(), SilentOperatorLog.Instance);
        // An hour: idle agents are no part of what is counted either.
        var options = new LocalAgentsOptions { SnapshotTailBytesMin = snapshotTailBytesMin, SweepEvery = TimeSpan.FromHours(1) };
        Agents = new LocalAgents(_journal, options, Limits.Default, TimeProvider.System, SilentOperatorLog.Instance);
    }

    public LocalAgents Agents { get; }

    public IAgentState this[string agent] => Agents.Get(new AgentId("costs", agent));

    /// <summary>A JSON string of so many bytes.</summary>
    public static JsonText TextOf(int bytes) => JsonText.Trusted(Encoding.UTF8.GetBytes($"\"{new string('v', bytes - 2)}\""));

    public static CommitRequest Put(string key, JsonText value) => new([new Operation(OperationKind.Put, new Key(key), value)]);

    /// <summary>Puts of <c>key-FROM</c>, <c>key-FROM+1</c>, …</summary>
    public static CommitRequest Keys(int from, int count) =>
        new([.. Enumerable.Range(from, count).Select(i => new Operation(OperationKind.Put, new Key($"key-{i}"), TextOf(50)))]);

    public ValueTask<CommitReceipt> CommitAsync(string agent, CommitRequest request) => this[agent].CommitAsync(request, default);

    public ValueTask<CommitReceipt> PutAsync(string agent, string key = "step") => CommitAsync(agent, Put(key, Value));

    public ValueTask<KeyState> GetAsync(string agent, string key = "step", Consistency consistency = Consistency.Default) =>
        this[agent].GetAsync(new GetRequest(new Key(key), Consistency: consistency), default);

    public ValueTask<KeyState> GetAtAsync(string agent, ReadPoint at) => this[agent].GetAsync(new GetRequest(new Key("step"), at), default);

    public ValueTask<ScanPage> ScanAsync(string agent) => this[agent].ScanAsync(new ScanRequest(default, default, Limit: 100), default);

    /// <summary>Commits one by one: each has a batch to itself.</summary>
    public async Task PutInTurnAsync(string agent, int commits)
    {
        for (int i = 0; i < commits; i++)
            await PutAsync(agent);
    }

    /// <summary>Commits of which all but the first go into one batch: they gather while the first is held.</summary>
    public async Task PutInTwoBatchesAsync(string first, IEnumerable<string> rest)
    {
        HeldStore.Hold hold = _door.HoldNextWrite();
        var all = new List<Task> { PutAsync(first).AsTask() };
        await hold.Reached;
        // The agents are in memory, so each is queued when its call returns.
        all.AddRange(rest.Select(agent => PutAsync(agent).AsTask()));
        hold.LetGo();
        await Task.WhenAll(all);
    }

    /// <summary>One transaction over several agents.</summary>
    public ValueTask<ImmutableArray<CommitReceipt>> PutTogetherAsync(IEnumerable<string> agents) => Agents.CommitTogetherAsync(
        [.. agents.Select(agent => new AgentCommitRequest(new AgentId("costs", agent), Put("step", Value)))], default);

    /// <summary>Names of agents that have one commit each and are in memory.</summary>
    public async Task<string[]> CreateAsync(int agents)
    {
        string[] names = [.. Enumerable.Range(0, agents).Select(i => $"agent-{i}")];
        await Task.WhenAll(names.Select(name => PutAsync(name).AsTask()));
        return names;
    }

    public async ValueTask DisposeAsync()
    {
        await Agents.DisposeAsync();
        await _journal.DisposeAsync();
    }
}

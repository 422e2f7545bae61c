using Orleans.TestingHost;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Tests.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains.Tests;

/// <summary>Silos over a store in memory, for tests that take things away from them.</summary>
public abstract class SiloTest : IAsyncLifetime
{
    // What must end, ends long before; a machine that is busy with other work gets its time.
    private protected static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly List<TaskCompletionSource> _held = [];

    private protected MemoryStore Store { get; } = new();

    private protected TestSilos Silos { get; private set; } = null!;

    private protected IAgents Agents => Silos.Agents;

    private protected virtual int SiloCount => 1;

    private protected virtual LocalAgentsOptions Options => new() { SnapshotTailBytesMin = 512, HoldLease = TimeSpan.FromSeconds(1) };


    public async ValueTask InitializeAsync() => Silos = await StartSilosAsync(SiloCount);

    public async ValueTask DisposeAsync()
    {
        // A test that fails in the middle leaves writes held; journals drain before they end.
        Store.IsAway = false;
        LetAllGo();
        await Silos.DisposeAsync();
    }

    private protected Task<TestSilos> StartSilosAsync(int count) =>
        TestSilos.StartAsync(count, () => Task.FromResult<IJournalStore>(new SiloStore(Store)), Options);

    private protected static AgentId Id(string name) => new("default", name);

    private protected IAgentState Agent(string name) => Agents.Get(Id(name));

    /// <summary>Something for writes to wait on, let go at the latest when the test ends.</summary>
    private protected TaskCompletionSource Hold()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_held)
            _held.Add(held);
        return held;
    }

    private protected void LetAllGo()
    {
        lock (_held)
            _held.ForEach(held => held.TrySetResult());
    }

    private protected static async Task<T> WithinAsync<T>(Task<T> task, string what)
    {
        await WithinAsync((Task)task, what);
        return await task;
    }

    private protected static async Task WithinAsync(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Bound, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            Assert.Fail($"Waited {Bound.TotalSeconds} s for {what}.");
        }
    }

    private protected static async Task WithinAsync(Func<bool> holds, string what)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Bound, $"Waited {Bound.TotalSeconds} s for {what}.");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>What a task ended with; null where it succeeded.</summary>
    private protected static async Task<StatehouseException?> FaultOf(Task task)
    {
        try
        {
            await task;
            return null;
        }
        catch (StatehouseException error)
        {
            return error;
        }
    }

    /// <summary>The journal of an agent folds (each commit chains on the one before it), and its versions are 1, 2, 3, …</summary>
    private protected async Task<IReadOnlyList<JournalCommit>> ChainOfAsync(string name)
    {
        await using var fresh = new TestHost(Store);
        await fresh.Agent(name).GetAsync(new GetRequest(new Key("any")), TestContext.Current.CancellationToken);
        IReadOnlyList<JournalCommit> chain = Store.JournalOf(Id(name));
        Assert.Equal(Enumerable.Range(1, chain.Count).Select(i => (long)i), chain.Select(commit => commit.Version.Value));
        return chain;
    }

    private protected InProcessSiloHandle SiloOf(string name) =>
        Silos.SiloOf(Id(name)) ?? throw new InvalidOperationException($"Agent {name} is active nowhere.");
}

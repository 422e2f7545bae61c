using System.Diagnostics;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;
using Statehouse.Faults.Injection;
using Statehouse.Faults.Runs;
using Statehouse.Faults.Systems;

namespace Statehouse.Faults.Tests.Injection;

/// <summary>A system in a temporary folder, and one client of it.</summary>
internal sealed class RunningSystem : IAsyncDisposable
{
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private static readonly AgentName Agent = new("faults", "agent");
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private readonly DirectoryInfo _folder;
    private int _value;

    private RunningSystem(DirectoryInfo folder, ProcessSystem system) => (_folder, System) = (folder, system);

    public ProcessSystem System { get; }

    public static async Task<RunningSystem> StartAsync(string name)
    {
        Assert.SkipWhen(name != "sqlite" && PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("statehouse-faults-test-");
        var system = (ProcessSystem)new SystemCatalog().Create(name, new SystemOptions(folder.FullName) { HasMovableClock = true });
        var running = new RunningSystem(folder, system);
        try
        {
            await system.StartAsync(TestContext.Current.CancellationToken);
            return running;
        }
        catch
        {
            await running.DisposeAsync();
            throw;
        }
    }

    public IFault Fault(string name)
    {
        IFault fault = System.Faults.Single(fault => fault.Name == name);
        Assert.SkipWhen(fault.Unavailable is not null, $"{name}: {fault.Unavailable}");
        return fault;
    }

    public async Task<string> InjectAsync(IFault fault, int seed = 1) =>
        await fault.InjectAsync(new Random(seed), TestContext.Current.CancellationToken);

    /// <summary>One commit through the next server, which is given so long to answer.</summary>
    public async Task<CallResult> WriteAsync(TimeSpan? bound = null)
    {
        await using IStoreClient client = System.Connect("http");
        using var bounded = new CancellationTokenSource(bound ?? Bound);
        var commit = new CommitCall([new Share(Agent, [new Write("k", $"{++_value}")])]);
        return await client.CallAsync(commit, bounded.Token);
    }

    /// <summary>The time of the agent's last commit, as its server's clock had it.</summary>
    public async Task<DateTimeOffset> CommitTimeAsync()
    {
        Assert.Equal(Outcome.Ok, (await WriteAsync()).Outcome);
        using var http = new HttpClient();
        string body = await http.GetStringAsync(
            $"http://{SingleNodeServer.Straight(System.Servers[0])}/v1/namespaces/faults/agents/agent", TestContext.Current.CancellationToken);
        using var head = global::System.Text.Json.JsonDocument.Parse(body);
        return head.RootElement.GetProperty("time").GetDateTimeOffset();
    }

    /// <summary>Writes until a write ends as wanted.</summary>
    public Task<CallResult> WriteUntilAsync(Outcome wanted) => UntilAsync(
        $"a write ends with {wanted}", () => WriteAsync(TimeSpan.FromSeconds(5)), result => result.Outcome == wanted);

    public static async Task<T> UntilAsync<T>(string what, Func<Task<T>> ask, Func<T, bool> isWanted)
    {
        long began = Stopwatch.GetTimestamp();
        while (true)
        {
            T last = await ask();
            if (isWanted(last))
                return last;
            Assert.True(Stopwatch.GetElapsedTime(began) < Bound, $"Waited {Bound} in vain until {what}; last: {last}");
            await Task.Delay(LookEvery, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await System.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}

using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Statehouse.Agents;
using Statehouse.Gateway;
using Statehouse.Journal;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Costs.Tests.Allocations;

/// <summary>
/// The operations whose allocations are counted, each ready to be run again and again: against agents in this process, and
/// against a whole single-node server in this process, through its sockets.
/// </summary>
internal sealed class Operations : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly AgentsUnderTest _agents;
    private readonly SingleNode _node;
    private readonly HttpCaller _http;
    private readonly GrpcCaller _grpc;
    private int _agentsCreated;

    private Operations(AgentsUnderTest agents, SingleNode node)
    {
        _agents = agents;
        _node = node;
        _http = new HttpCaller(node.Address);
        _grpc = new GrpcCaller(node.GrpcAddress!);
    }

    /// <summary>By name, each doing one operation.</summary>
    public Dictionary<string, Func<ValueTask>> InProcess { get; } = [];

    /// <summary>As <see cref="InProcess"/>, over a socket, on the thread that calls from end to end: what that allocates is the client's.</summary>
    public Dictionary<string, Action> OverSockets { get; } = [];

    public static async Task<Operations> StartAsync()
    {
        var folder = new TemporaryFolder();
        var agents = new AgentsUnderTest(await OpenAsync(Path.Combine(folder.Path, "agents")));
        SingleNode node = await SingleNode.StartAsync(
            await OpenAsync(Path.Combine(folder.Path, "server")), Limits.Default,
            new GatewayOptions { HttpAddress = new IPEndPoint(IPAddress.Loopback, 0), GrpcAddress = new IPEndPoint(IPAddress.Loopback, 0) },
            TimeProvider.System, NullLoggerFactory.Instance, default);
        var operations = new Operations(agents, node);
        await operations.AddInProcessAsync();
        operations.AddHttp();
        operations.AddGrpc();
        // What is read must be there.
        foreach (Action run in operations.OverSockets.Values)
            run();
        return operations;

        static Task<SqliteJournalStore> OpenAsync(string path) =>
            SqliteJournalStore.OpenAsync(new SqliteJournalOptions { DataDirectory = path }, SilentOperatorLog.Instance, default);
    }

    /// <summary>Three commits of the same key on an agent that is new.</summary>
    public async ValueTask CreateAgentAsync()
    {
        string name = $"agent-{_agentsCreated++:000000}";
        for (int i = 0; i < 3; i++)
            await _agents.PutAsync(name);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _grpc.Dispose();
        await _node.DisposeAsync();
        await _agents.DisposeAsync();
        _folder.Dispose();
    }

    private async Task AddInProcessAsync()
    {
        for (int i = 0; i < 100; i++)
            await _agents.PutAsync("of-100-keys", $"key-{i:000}");
        AddCommit("commit", AgentsUnderTest.Put("step", AgentsUnderTest.Value));
        AddCommit("commit 100 KB", AgentsUnderTest.Put("step", AgentsUnderTest.TextOf(100_000)));
        for (int from = 0; from < 10_000; from += 1_000)
            await _agents.CommitAsync("commit on 10,000 keys", AgentsUnderTest.Keys(from, 1_000));
        AddCommit("commit on 10,000 keys", AgentsUnderTest.Put("key-5000", AgentsUnderTest.Value));
        AddCommit("commit of 10 operations", new CommitRequest(
            [.. Enumerable.Range(0, 10).Select(i => new Operation(OperationKind.Put, new Key($"key-{i}"), AgentsUnderTest.Value))]));
        var get = new GetRequest(new Key("key-050"));
        IAgentState agent = _agents["of-100-keys"];
        InProcess.Add("get", async () => await agent.GetAsync(get, default));
        InProcess.Add("scan of 100 keys", async () => await _agents.ScanAsync("of-100-keys"));
    }

    /// <summary>On an agent of its own, whose other keys do not matter to it.</summary>
    private void AddCommit(string name, CommitRequest request)
    {
        IAgentState agent = _agents[name];
        InProcess.Add(name, async () => await agent.CommitAsync(request, default));
    }

    private void AddHttp()
    {
        string value = $"\"{new string('v', 198)}\"";
        string large = $"\"{new string('v', 99_998)}\"";
        // Each size on an agent of its own: a snapshot holds all keys.
        AddHttp("PUT", "PUT", "small/state/step", value);
        AddHttp("PUT 100 KB", "PUT", "large/state/step", large);
        AddHttp("POST commits", "POST", "small/commits", $$"""{"operations":[{"op":"put","key":"step","value":{{value}}}]}""");
        AddHttp("GET", "GET", "small/state/step", "");
        AddHttp("GET 100 KB", "GET", "large/state/step", "");
        AddHttp("GET of an agent", "GET", "small", "");
    }

    private void AddHttp(string name, string method, string path, string body)
    {
        byte[] request = HttpCaller.Request(method, "/v1/namespaces/costs/agents/" + path, Encoding.UTF8.GetBytes(body));
        OverSockets.Add(name, () => _http.Call(request));
    }

    private void AddGrpc()
    {
        // Struct {"step": "vvv…"}.
        byte[] value = GrpcCaller.Field(1, [.. GrpcCaller.Field(1, "step"), .. GrpcCaller.Field(2, GrpcCaller.Field(3, new string('v', 188)))]);
        byte[] write = [.. GrpcCaller.Field(3, "g"), .. GrpcCaller.Field(4, "step"), .. GrpcCaller.Field(5, value)];
        byte[] get = [.. GrpcCaller.Field(2, "g"), .. GrpcCaller.Field(3, "step")];
        OverSockets.Add("BeginTransaction, Write, Commit", () =>
        {
            // The reply is one string, and so is the commit's request, under the same number.
            byte[] begun = _grpc.Call("BeginTransaction", []);
            _grpc.Call("Write", [.. begun, .. write]);
            _grpc.Call("Commit", begun);
        });
        OverSockets.Add("GetState", () => _grpc.Call("GetState", get));
    }
}

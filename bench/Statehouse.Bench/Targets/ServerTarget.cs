using System.Collections.Frozen;
using System.Text.Json;
using Statehouse.Bench.Load;
using Statehouse.Bench.Measuring;

namespace Statehouse.Bench.Targets;

internal enum Door
{
    Http,
    Grpc,
}

/// <summary>The single-node server through one of its doors.</summary>
internal sealed class ServerTarget : ITarget, IStandsStill
{
    private static readonly FrozenSet<RequestKind> s_http =
        FrozenSet.Create(RequestKind.Put, RequestKind.Get, RequestKind.Scan, RequestKind.PutMany, RequestKind.PutTogether);

    private static readonly FrozenSet<RequestKind> s_grpc = FrozenSet.Create(RequestKind.Get, RequestKind.Transaction);

    private readonly JournalPlace _place;
    private readonly Door _door;
    private readonly AgentPaths _paths = new();

    private ServerTarget(JournalPlace place, Door door, StatehouseServer server)
    {
        (_place, _door, Server) = (place, door, server);
    }

    public StatehouseServer Server { get; }

    public string Name => $"{(_door == Door.Http ? "HTTP" : "gRPC")}, {_place.Name}";

    public IReadOnlySet<RequestKind> Answers => _door == Door.Http ? s_http : s_grpc;

    public string? NotComparable => null;

    public IReadOnlyList<WatchedProcess> Processes => _place.PostgresProcess is { } database
        ? [new WatchedProcess(Server.ProcessId), new WatchedProcess(database, IsDatabase: true)]
        : [new WatchedProcess(Server.ProcessId)];

    public static async Task<ServerTarget> StartAsync(JournalPlace place, Door door) =>
        new(place, door, await StatehouseServer.StartAsync(place));

    public ValueTask<ISession> ConnectAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<ISession>(_door == Door.Http ? new HttpSession(Server.Http, _paths) : new GrpcSession(Server.Grpc));

    /// <summary>By the list of agents, which the server reads from its journal.</summary>
    public ValueTask<long?> CountCommitsAsync(CancellationToken cancellationToken)
    {
        using var http = new BlockingHttpClient(Server.Http);
        long commits = 0;
        string? after = null;
        do
        {
            string start = $"GET /v1/namespaces/{Names.Namespace}/agents?limit=1000{(after is null ? "" : $"&after={Uri.EscapeDataString(after)}")}";
            int status = http.Send(start, default, out ReadOnlySpan<byte> reply);
            if (status != 200)
                throw new BenchFailure($"{start} was answered {status}: {System.Text.Encoding.UTF8.GetString(reply)}");
            using JsonDocument page = JsonDocument.Parse(reply.ToArray());
            commits += page.RootElement.GetProperty("items").EnumerateArray().Sum(item => item.GetProperty("version").GetInt64());
            after = page.RootElement.TryGetProperty("next", out JsonElement next) ? next.GetString() : null;
        }
        while (after is not null);
        return ValueTask.FromResult<long?>(commits);
    }

    public async ValueTask<long> DiskBytesAsync(CancellationToken cancellationToken) => await _place.DiskBytesAsync();

    public async ValueTask<long?> CrashAndCountAsync(CancellationToken cancellationToken)
    {
        await DisposeAsync();
        return await _place.CountCommitsAsync();
    }

    public void Pause() => Server.Pause();

    public void Resume() => Server.Resume();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

using System.Collections.Frozen;
using System.Net;
using System.Text.RegularExpressions;
using Statehouse.Bench.Measuring;
using Statehouse.Testing;

namespace Statehouse.Bench.Targets;

/// <summary>Answers everything at once and does nothing: what the loop around the load itself can do.</summary>
internal sealed class NothingTarget : ITarget, ISession
{
    public string Name => "in process";

    public IReadOnlySet<RequestKind> Answers { get; } = Enum.GetValues<RequestKind>().ToFrozenSet();

    public string? NotComparable => null;

    public IReadOnlyList<WatchedProcess> Processes => [];

    public bool Blocks => false;

    public ValueTask<ISession> ConnectAsync(CancellationToken cancellationToken) => ValueTask.FromResult<ISession>(this);

    public async ValueTask<Answer> AskAsync(Request request, CancellationToken cancellationToken)
    {
        // As an answer that comes from elsewhere: on another turn of the pool.
        await Task.Yield();
        return new Answer(0, 1);
    }

    public ValueTask<long?> CountCommitsAsync(CancellationToken cancellationToken) => ValueTask.FromResult<long?>(null);

    public ValueTask<long> DiskBytesAsync(CancellationToken cancellationToken) => ValueTask.FromResult(0L);

    public ValueTask<long?> CrashAndCountAsync(CancellationToken cancellationToken) => ValueTask.FromResult<long?>(null);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>The no-op server (<see cref="Load.NoopServer"/>) as a process of its own, through one of its doors.</summary>
internal sealed partial class NoopTarget : ITarget
{
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(30);

    private readonly ChildProcess _process;
    private readonly Door _door;
    private readonly AgentPaths _paths = new();
    private readonly IPEndPoint _http;
    private readonly string _grpc;

    private NoopTarget(ChildProcess process, Door door, Match addresses)
    {
        (_process, _door) = (process, door);
        _http = IPEndPoint.Parse(addresses.Groups[1].Value);
        _grpc = addresses.Groups[2].Value;
    }

    public string Name => _door == Door.Http ? "HTTP" : "gRPC";

    public IReadOnlySet<RequestKind> Answers { get; } = FrozenSet.Create(RequestKind.Get);

    public string? NotComparable => null;

    public IReadOnlyList<WatchedProcess> Processes => [new WatchedProcess(_process.Id)];

    public static async Task<NoopTarget> StartAsync(Door door, string folder)
    {
        ChildProcess process = ChildProcess.StartDotnet(typeof(NoopTarget).Assembly.Location, ["noop", "--folder", folder]);
        try
        {
            return new NoopTarget(process, door, await process.WaitForOutputAsync(Addresses(), StartBound, CancellationToken.None));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public ValueTask<ISession> ConnectAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<ISession>(_door == Door.Http ? new HttpSession(_http, _paths) : new NoopGrpcSession(_grpc));

    public ValueTask<long?> CountCommitsAsync(CancellationToken cancellationToken) => ValueTask.FromResult<long?>(null);

    public ValueTask<long> DiskBytesAsync(CancellationToken cancellationToken) => ValueTask.FromResult(0L);

    public ValueTask<long?> CrashAndCountAsync(CancellationToken cancellationToken) => ValueTask.FromResult<long?>(null);

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    [GeneratedRegex(@"no-op: HTTP (\S+) gRPC (\S+)")]
    private static partial Regex Addresses();

    /// <summary>As a read over gRPC, but for what the empty reply would have to hold.</summary>
    private sealed class NoopGrpcSession(string address) : ISession
    {
        private readonly Load.RawGrpcClient _grpc = new(address);

        public bool Blocks => true;

        public ValueTask<Answer> AskAsync(Request request, CancellationToken cancellationToken)
        {
            _grpc.Call("GetState", []);
            return ValueTask.FromResult(new Answer(0, 1));
        }

        public ValueTask DisposeAsync()
        {
            _grpc.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

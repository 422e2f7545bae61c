using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Transactions;
using Statehouse.Executions;
using Statehouse.Journal;
using Statehouse.Journal.GroupCommit;

namespace Statehouse.Gateway;

/// <summary>Everything that one server process runs, wired together: journal, agents, transactions, HTTP, gRPC.</summary>
internal sealed class SingleNode : IServerNode
{
    // Opened in this order, closed in the opposite one: each only needs what stands before it.
    private readonly Stack<IAsyncDisposable> _parts = new();
    private GatewayServer _server = null!;
    private GrpcServer? _grpc;

    private SingleNode()
    {
    }

    public Uri Address => _server.Address;

    /// <summary>Null where gRPC is not served.</summary>
    public Uri? GrpcAddress => _grpc?.Address;

    public TimeSpan StopPatience { get; private init; }

    internal GatewayServer Server => _server;

    /// <exception cref="JournalOpenException">The journal cannot be opened; the message is for the operator.</exception>
    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<SingleNode> StartAsync(
        ServerSettings settings, ProgramHooks hooks, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var log = new HostOperatorLog(loggers.CreateLogger("Statehouse.Journal"));
        IJournalStore store = await ProgramStores.OpenAsync(settings, hooks, log, cancellationToken);
        var options = new GatewayOptions
        {
            HttpAddress = settings.HttpAddress,
            GrpcAddress = settings.GrpcAddress,
            Executions = settings.Executions with { OnCrashPoint = hooks.OnCrashPoint },
            OnCrashPoint = hooks.OnCrashPoint,
        };
        return await StartAsync(store, settings.Limits, options, hooks, clock, loggers, cancellationToken);
    }

    /// <summary>The same over a store that is open already, and is owned from here on.</summary>
    public static Task<SingleNode> StartAsync(
        IJournalStore store, Limits limits, GatewayOptions options, TimeProvider clock, ILoggerFactory loggers,
        CancellationToken cancellationToken) =>
        StartAsync(store, limits, options, ProgramHooks.None, clock, loggers, cancellationToken);

    private static async Task<SingleNode> StartAsync(
        IJournalStore store, Limits limits, GatewayOptions options, ProgramHooks hooks, TimeProvider clock, ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var node = new SingleNode { StopPatience = options.StopPatience };
        try
        {
            await node.WireAsync(store, limits, options, hooks, clock, loggers, cancellationToken);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_parts.TryPop(out IAsyncDisposable? part))
            await part.DisposeAsync();
    }

    private async Task WireAsync(
        IJournalStore store, Limits limits, GatewayOptions options, ProgramHooks hooks, TimeProvider clock, ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var log = new HostOperatorLog(loggers.CreateLogger("Statehouse.Agents"));
        // The journal drains, then disposes its store.
        var journal = Own(hooks.Around(new GroupCommitJournal(store, new GroupCommitOptions { OnCrashPoint = hooks.OnCrashPoint }, log)));
        var local = Own(new LocalAgents(journal, hooks.Around(new LocalAgentsOptions()), limits, clock, log, ExecutionIndex.RowOf));
        IAgents agents = hooks.Around(local);
        var transactions = Own(new InteractiveTransactions(agents, limits, clock));
        var executions = Own(new ExecutionService(agents, ExecutionStores.Of(store), limits, options.Executions, clock, log));
        var readiness = new Readiness(agents.PingAsync, options.ReadyPatience, clock);
        _server = Own(GatewayServer.OfApi(agents, transactions, executions, readiness, limits, options, clock, loggers));
        _grpc = options.GrpcAddress is null ? null : Own(new GrpcServer(agents, transactions, readiness, limits, options, clock, loggers));
        await _server.StartAsync(cancellationToken);
        if (_grpc is not null)
            await _grpc.StartAsync(cancellationToken);
    }

    private T Own<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Push(part);
        return part;
    }
}

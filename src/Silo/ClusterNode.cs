using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Transactions;
using Statehouse.Executions;
using Statehouse.Gateway;
using Statehouse.Grains;
using Statehouse.Journal;
using Statehouse.Journal.GroupCommit;
using Statehouse.Journal.Postgres;

namespace Statehouse.Silo;

/// <summary>Everything that one process of the cluster runs, wired together: journal, agents, membership, HTTP, gRPC, dashboard.</summary>
internal sealed class ClusterNode : IServerNode
{
    // Of the time that a stop may take, what requests in flight may use up; the rest is for handing agents over.
    private const double ShareOfRequests = 2.0 / 3;

    // What a stop may take longer than it is meant to, before it is given up.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly SiloSettings _settings;
    private readonly ClusterHooks _hooks;
    private readonly TimeProvider _clock;
    private readonly ILoggerFactory _loggers;
    private readonly SiloLog _log;
    private readonly Stack<IAsyncDisposable> _parts = new();
    private IClusterMember? _member;
    private GatewayServer? _http;
    private GrpcServer? _grpc;
    private ExecutionService? _executions;
    private DashboardServer? _dashboard;

    private ClusterNode(SiloSettings settings, ClusterHooks hooks, TimeProvider clock, ILoggerFactory loggers)
    {
        _settings = settings;
        _hooks = hooks;
        _clock = clock;
        _loggers = loggers;
        _log = new SiloLog(loggers.CreateLogger("Statehouse.Silo"));
    }

    public TimeSpan StopPatience => _settings.DrainWithin;

    public SiloLog Log => _log;

    /// <summary>Where it can be reached, by what.</summary>
    public IEnumerable<(string What, string Where)> Addresses
    {
        get
        {
            yield return ("http", _http!.Address.ToString().TrimEnd('/'));
            if (_grpc is not null)
                yield return ("grpc", _grpc.Address.Authority);
            if (_member is SiloMember silo)
                yield return ("silo", silo.SiloEndpoint.ToString());
            if (_dashboard is not null)
                yield return ("dashboard", _dashboard.Address.ToString());
        }
    }

    /// <exception cref="ProgramException">It cannot start or join.</exception>
    /// <exception cref="JournalOpenException">The database does not do.</exception>
    /// <exception cref="StatehouseException">The database cannot be reached.</exception>
    /// <exception cref="IOException">An address cannot be bound.</exception>
    public static async Task<ClusterNode> StartAsync(
        SiloSettings settings, ClusterHooks hooks, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var node = new ClusterNode(settings, hooks, clock, loggers);
        try
        {
            await node.WireAsync(cancellationToken);
            return node;
        }
        catch
        {
            await node.DisposePartsAsync();
            throw;
        }
    }

    /// <summary>
    /// Stops in the order in which nothing is lost: not ready; takes nothing new; finishes what is in flight; hands its
    /// agents over and leaves the cluster; drains the journal. Health and metrics can be read until the end.
    /// </summary>
    /// <exception cref="ProgramException">It could not leave in good order; everything else was stopped all the same.</exception>
    public async ValueTask DisposeAsync()
    {
        long began = _clock.GetTimestamp();
        await DrainRequestsAsync();
        _hooks.OnCrashPoint?.Invoke(CrashPoint.BeforeHandover);
        Exception? failure = await LeaveAsync(_settings.DrainWithin - _clock.GetElapsedTime(began));
        await DisposePartsAsync();
        if (failure is not null)
            throw new ProgramException($"The process could not leave the cluster in good order: {failure.GetBaseException().Message}", failure);
    }

    private async Task WireAsync(CancellationToken cancellationToken)
    {
        await OrleansSchema.VerifyAsync(_settings.Postgres!, cancellationToken);
        var journalLog = new HostOperatorLog(_loggers.CreateLogger("Statehouse.Journal"));
        var postgres = new PostgresJournalOptions { ConnectionString = _settings.Postgres!, OnCrashPoint = _hooks.OnCrashPoint };
        IJournalStore store = _hooks.Around(await PostgresJournalStore.OpenAsync(postgres, journalLog, cancellationToken));
        // Built last and stopped first, but shown to the end: whoever watches a drain asks it.
        _parts.Push(new Deferred(async () => await (_http?.DisposeAsync() ?? ValueTask.CompletedTask)));
        _member = _settings.HostsAgents
            ? await StartSiloAsync(store, cancellationToken)
            : await StartClientAsync(store, cancellationToken);
        await ServeAsync(store, cancellationToken);
    }

    private async Task<IClusterMember> StartSiloAsync(IJournalStore store, CancellationToken cancellationToken)
    {
        var log = new HostOperatorLog(_loggers.CreateLogger("Statehouse.Agents"));
        // The journal drains, then disposes its store.
        var journal = Own(_hooks.Around(new GroupCommitJournal(store, new GroupCommitOptions { OnCrashPoint = _hooks.OnCrashPoint }, log)));
        LocalAgentsOptions options = _hooks.Around(new LocalAgentsOptions { IdleAfter = _settings.IdleAfter });
        var hosting = Own(new AgentHosting(journal, options, _settings.Limits, _clock, log, ExecutionIndex.RowOf));
        return Own(await SiloMember.StartAsync(_settings, hosting, _hooks.Silo, _clock, _loggers, _log, cancellationToken));
    }

    private async Task<IClusterMember> StartClientAsync(IJournalStore store, CancellationToken cancellationToken)
    {
        Own(store);
        return Own(await ClientMember.StartAsync(_settings, _clock, _loggers, _log, cancellationToken));
    }

    private async Task ServeAsync(IJournalStore store, CancellationToken cancellationToken)
    {
        var options = new GatewayOptions
        {
            HttpAddress = _settings.HttpAddress,
            GrpcAddress = _settings.ServesApi ? _settings.GrpcAddress : null,
            Meters = ["Statehouse.", "Microsoft.Orleans"],
            StopPatience = _settings.DrainWithin * ShareOfRequests,
            Executions = _settings.Executions with { OnCrashPoint = _hooks.OnCrashPoint },
            OnCrashPoint = _hooks.OnCrashPoint,
        };
        var readiness = new Readiness(token => PingAsync(store, token), options.ReadyPatience, _clock);
        if (_settings.ServesApi)
            await ServeApiAsync(store, readiness, options, cancellationToken);
        else
            _http = GatewayServer.OfSystem(readiness, _settings.Limits, options, _clock, _loggers);
        await _http!.StartAsync(cancellationToken);
        if (_settings.DashboardEndpoint is not null)
            _dashboard = Own(await DashboardServer.StartAsync(_settings.DashboardEndpoint, _member!.Grains, _loggers, cancellationToken));
    }

    private async Task ServeApiAsync(IJournalStore store, Readiness readiness, GatewayOptions options, CancellationToken cancellationToken)
    {
        var log = new HostOperatorLog(_loggers.CreateLogger("Statehouse.Agents"));
        IAgents agents = _hooks.Around(new ClusterAgents(_member!.Grains, store, _settings.Limits, _clock, log));
        var transactions = Own(new InteractiveTransactions(agents, _settings.Limits, _clock));
        _executions = Own(new ExecutionService(agents, ExecutionStores.Of(store), _settings.Limits, options.Executions, _clock, log));
        _http = GatewayServer.OfApi(agents, transactions, _executions, readiness, _settings.Limits, options, _clock, _loggers);
        _grpc = Own(new GrpcServer(agents, transactions, readiness, _settings.Limits, options, _clock, _loggers));
        await _grpc.StartAsync(cancellationToken);
    }

    private async ValueTask PingAsync(IJournalStore store, CancellationToken cancellationToken)
    {
        _member!.CheckReady();
        await store.PingAsync(cancellationToken);
    }

    private async Task DrainRequestsAsync()
    {
        Task<bool> http = _http!.DrainAsync();
        await Task.WhenAll(http, _grpc?.StopAsync() ?? Task.CompletedTask);
        if (!await http)
            _log.DrainOverran((_settings.DrainWithin * ShareOfRequests).TotalSeconds);
        // While there are silos to write to.
        if (_executions is not null)
            await _executions.DrainAsync();
    }

    /// <returns>What went wrong; null = nothing. The rest must be stopped either way.</returns>
    private async Task<Exception?> LeaveAsync(TimeSpan within)
    {
        long began = _clock.GetTimestamp();
        TimeSpan patience = within > TimeSpan.Zero ? within : TimeSpan.Zero;
        using var late = new CancellationTokenSource(patience, _clock);
        try
        {
            await _member!.LeaveAsync(late.Token).WaitAsync(patience + Grace, _clock);
            _log.Left(_clock.GetElapsedTime(began).TotalSeconds);
            return null;
        }
        catch (Exception error)
        {
            _log.LeftBadly(error);
            return error;
        }
    }

    private async ValueTask DisposePartsAsync()
    {
        while (_parts.TryPop(out IAsyncDisposable? part))
            await part.DisposeAsync();
    }

    private T Own<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Push(part);
        return part;
    }

    private sealed class Deferred(Func<ValueTask> dispose) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => dispose();
    }
}

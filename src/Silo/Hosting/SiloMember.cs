using System.Diagnostics.Metrics;
using System.Net;
using Orleans.Configuration;
using Orleans.Dashboard;
using Orleans.Runtime.MembershipService;
using Statehouse.Agents.Hosting;
using Statehouse.Gateway;
using Statehouse.Grains;
using Statehouse.Journal;

namespace Statehouse.Silo;

/// <summary>The Orleans silo of this process: member of the cluster from <see cref="StartAsync"/> to <see cref="LeaveAsync"/>.</summary>
internal sealed class SiloMember : IClusterMember
{
    // Of a start that failed: mostly one write to the membership table.
    private static readonly TimeSpan TakeBackPatience = TimeSpan.FromSeconds(5);

    private readonly IHost _host;
    private readonly FatalErrors _fatalErrors;
    private readonly ISiloStatusOracle _status;

    private SiloMember(IHost host, FatalErrors fatalErrors, IPEndPoint siloEndpoint)
    {
        _host = host;
        _fatalErrors = fatalErrors;
        _status = host.Services.GetRequiredService<ISiloStatusOracle>();
        Grains = host.Services.GetRequiredService<IGrainFactory>();
        SiloEndpoint = siloEndpoint;
    }

    public IGrainFactory Grains { get; }

    /// <summary>Where other silos reach it, with the port that it got.</summary>
    public IPEndPoint SiloEndpoint { get; }

    /// <summary>Starts it and waits until it is an active member.</summary>
    /// <param name="settings">Addresses, cluster, database.</param>
    /// <param name="hosting">What its agents share.</param>
    /// <param name="hook">As <see cref="ClusterHooks.Silo"/>.</param>
    /// <param name="clock">For the bound on all attempts.</param>
    /// <param name="loggers">Where Orleans logs.</param>
    /// <param name="log">Ours.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProgramException">It cannot start or join.</exception>
    public static async Task<SiloMember> StartAsync(
        SiloSettings settings, AgentHosting hosting, Action<ISiloBuilder>? hook, TimeProvider clock, ILoggerFactory loggers, SiloLog log,
        CancellationToken cancellationToken)
    {
        // The same ones at each attempt: another one's row is then known for this silo's own past.
        using SiloPorts ports = SiloPorts.Keep(settings);
        long began = clock.GetTimestamp();
        while (true)
        {
            var fatalErrors = new FatalErrors(log);
            IHost host = Build(settings, ports.Silo, ports.Gateway, hosting, hook, fatalErrors, loggers);
            try
            {
                using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, fatalErrors.StartFailed);
                await host.StartAsync(ending.Token);
                fatalErrors.OnStarted();
                log.Joined(settings.ClusterId, host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString());
                return new SiloMember(host, fatalErrors, ports.Silo);
            }
            catch (Exception error)
            {
                bool mayRetry = IsPassing(error, fatalErrors) && clock.GetElapsedTime(began) < ClusterTuning.JoinPatience;
                await TakeBackAsync(host, log);
                fatalErrors.Dispose();
                cancellationToken.ThrowIfCancellationRequested();
                if (!mayRetry)
                {
                    log.StartFailed(error);
                    throw new ProgramException($"The silo could not join cluster {settings.ClusterId}: {error.GetBaseException().Message}", error);
                }
                log.JoinFailed(error);
            }
        }
    }

    public void CheckReady()
    {
        if (_status.CurrentStatus != SiloStatus.Active)
            throw new JournalUnavailableException($"This silo is not an active member of the cluster; it is {_status.CurrentStatus}.");
    }

    public Task LeaveAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await OrleansHost.DisposeAsync(_host);
        _fatalErrors.Dispose();
    }

    /// <summary>Silos that are gone but not yet out of the table cannot be reached; nor can one join that was taken for one of them.</summary>
    private static bool IsPassing(Exception error, FatalErrors fatalErrors) =>
        error is OrleansClusterConnectivityCheckFailedException || fatalErrors.StartFailed.IsCancellationRequested;

    /// <summary>
    /// A host whose start failed does not stop what it had started: its listeners would go on taking every second
    /// connection of the next attempt, and its row would call it joining.
    /// </summary>
    /// <remarks>
    /// The host is not disposed: that waits for the end of a silo that never ran, for ever. What is left of it does
    /// nothing, and there are few attempts.
    /// </remarks>
    private static async Task TakeBackAsync(IHost host, SiloLog log)
    {
        try
        {
            ISiloLifecycleSubject started = host.Services.GetRequiredService<ISiloLifecycleSubject>();
            await Task.Run(() => started.OnStop(CancellationToken.None)).WaitAsync(TakeBackPatience);
        }
        catch (TimeoutException error)
        {
            log.LeftBadly(error);
        }
        // Or its numbers would be shown beside those of the silo that comes to run.
        host.Services.GetRequiredService<IMeterFactory>().Dispose();
    }

    private static IHost Build(
        SiloSettings settings, IPEndPoint siloEndpoint, IPEndPoint gatewayEndpoint, AgentHosting hosting, Action<ISiloBuilder>? hook,
        FatalErrors fatalErrors, ILoggerFactory loggers)
    {
        string database = OrleansHost.ConnectionString(settings);
        HostApplicationBuilder builder = OrleansHost.NewBuilder(settings, loggers);
        builder.UseOrleans(silo =>
        {
            Listen(silo, siloEndpoint, gatewayEndpoint);
            silo.Configure<SiloOptions>(options => options.SiloName = $"{Environment.MachineName}-{siloEndpoint.Port}");
            silo.Configure<ClusterMembershipOptions>(ClusterTuning.Tune);
            silo.Configure<GrainCollectionOptions>(collection => ClusterTuning.Tune(collection, settings.IdleAfter));
            silo.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (OrleansHost.Invariant, database));
            silo.UseAdoNetReminderService(options => (options.Invariant, options.ConnectionString) = (OrleansHost.Invariant, database));
            silo.AddAdoNetGrainStorageAsDefault(options => (options.Invariant, options.ConnectionString) = (OrleansHost.Invariant, database));
            silo.AddStatehouseAgents(hosting).AddStatehouseMaintenance((ISnapshotInventory)hosting.Store);
            silo.Services.AddSingleton<IFatalErrorHandler>(fatalErrors);
            // On every silo: the one that a dashboard asks asks all others. Whether it has a page is another matter.
            silo.AddDashboard(ClusterTuning.Tune);
            hook?.Invoke(silo);
        });
        return builder.Build();
    }

    /// <summary>Bound to all addresses of the machine, a silo is announced under the first that is not loopback.</summary>
    private static void Listen(ISiloBuilder silo, IPEndPoint siloEndpoint, IPEndPoint gatewayEndpoint)
    {
        if (siloEndpoint.Address.Equals(IPAddress.Any) || siloEndpoint.Address.Equals(IPAddress.IPv6Any))
            silo.ConfigureEndpoints(siloEndpoint.Port, gatewayEndpoint.Port, siloEndpoint.AddressFamily);
        else
            silo.ConfigureEndpoints(siloEndpoint.Address, siloEndpoint.Port, gatewayEndpoint.Port);
        silo.Configure<EndpointOptions>(options =>
        {
            options.SiloListeningEndpoint = siloEndpoint;
            options.GatewayListeningEndpoint = gatewayEndpoint;
        });
    }
}

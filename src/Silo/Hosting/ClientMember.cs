using Orleans.Configuration;
using Statehouse.Gateway;
using Statehouse.Grains;
using Statehouse.Journal;

namespace Statehouse.Silo;

/// <summary>The Orleans client of a process that hosts no agents.</summary>
internal sealed class ClientMember : IClusterMember
{
    private readonly IHost _host;
    private readonly SiloConnections _silos;
    private readonly LostCalls _lostCalls;

    private ClientMember(IHost host, SiloConnections silos, LostCalls lostCalls)
    {
        _host = host;
        _lostCalls = lostCalls;
        _silos = silos;
        Grains = host.Services.GetRequiredService<IClusterClient>();
        silos.OnStarted(Grains);
    }

    public IGrainFactory Grains { get; }

    /// <summary>Connects, waiting for the first silo where there is none yet.</summary>
    /// <param name="settings">Cluster and database.</param>
    /// <param name="clock">For the wait.</param>
    /// <param name="loggers">Where Orleans logs.</param>
    /// <param name="log">Ours.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProgramException">No silo could be reached.</exception>
    public static async Task<ClientMember> StartAsync(
        SiloSettings settings, TimeProvider clock, ILoggerFactory loggers, SiloLog log, CancellationToken cancellationToken)
    {
        var lostCalls = new LostCalls();
        var silos = new SiloConnections(lostCalls, clock, log);
        IHost host = Build(settings, silos, lostCalls, loggers);
        try
        {
            await host.StartAsync(cancellationToken);
            return new ClientMember(host, silos, lostCalls);
        }
        catch (Exception error)
        {
            await OrleansHost.DisposeAsync(host);
            silos.Dispose();
            lostCalls.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            log.StartFailed(error);
            throw new ProgramException($"No silo of cluster {settings.ClusterId} could be reached: {error.GetBaseException().Message}", error);
        }
    }

    public void CheckReady()
    {
        if (_silos.Count == 0)
            throw new JournalUnavailableException("This gateway is connected to no silo.");
    }

    public Task LeaveAsync(CancellationToken cancellationToken)
    {
        _silos.OnLeaving();
        return _host.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await OrleansHost.DisposeAsync(_host);
        _silos.Dispose();
        _lostCalls.Dispose();
    }

    private static IHost Build(SiloSettings settings, SiloConnections silos, LostCalls lostCalls, ILoggerFactory loggers)
    {
        string database = OrleansHost.ConnectionString(settings);
        HostApplicationBuilder builder = OrleansHost.NewBuilder(settings, loggers);
        builder.UseOrleansClient(client =>
        {
            client.Configure<ClientMessagingOptions>(ClusterTuning.Tune);
            client.Configure<Orleans.Configuration.GatewayOptions>(ClusterTuning.Tune);
            client.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (OrleansHost.Invariant, database));
            client.Services.AddStatehouseSerialization();
            client.Services.AddSingleton<IClientConnectionRetryFilter>(silos);
            client.Services.AddSingleton<IClusterConnectionStatusObserver>(silos);
            client.AddOutgoingGrainCallFilter(lostCalls);
        });
        return builder.Build();
    }
}

using Orleans.Configuration;
using Statehouse.Gateway;
using Statehouse.Grains;
using Statehouse.Journal;

namespace Statehouse.Silo;

/// <summary>The Orleans client of a process that hosts no agents.</summary>
internal sealed class ClientMember : IClusterMember
{
    private readonly IHost _host;
    private readonly Silos _silos;
    private readonly LostCalls _lostCalls;

    private ClientMember(IHost host, Silos silos, LostCalls lostCalls)
    {
        _host = host;
        _lostCalls = lostCalls;
        _silos = silos;
        Grains = host.Services.GetRequiredService<IClusterClient>();
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
        var silos = new Silos(lostCalls, clock, log);
        IHost host = Build(settings, silos, lostCalls, loggers);
        try
        {
            await host.StartAsync(cancellationToken);
            return new ClientMember(host, silos, lostCalls);
        }
        catch (Exception error)
        {
            await OrleansHost.DisposeAsync(host);
            lostCalls.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            log.StartFailed(error);
            throw new ProgramException($"No silo of cluster {settings.ClusterId} could be reached: {error.GetBaseException().Message}", error);
        }
    }

    public void CheckReady()
    {
        if (_silos.ConnectedCount == 0)
            throw new JournalUnavailableException("This gateway is connected to no silo.");
    }

    public Task LeaveAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await OrleansHost.DisposeAsync(_host);
        _lostCalls.Dispose();
    }

    private static IHost Build(SiloSettings settings, Silos silos, LostCalls lostCalls, ILoggerFactory loggers)
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

    /// <summary>The silos that the client is connected to, and how long it waits for the first.</summary>
    private sealed class Silos(LostCalls lostCalls, TimeProvider clock, SiloLog log) : IClientConnectionRetryFilter, IClusterConnectionStatusObserver
    {
        private readonly long _began = clock.GetTimestamp();
        private int _connected;

        public int ConnectedCount => Volatile.Read(ref _connected);

        public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
        {
            if (clock.GetElapsedTime(_began) > ClusterTuning.JoinPatience)
                return false;
            log.NoSilo(exception);
            await Task.Delay(ClusterTuning.ConnectRetryEvery, clock, cancellationToken);
            return true;
        }

        public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered)
        {
            Volatile.Write(ref _connected, currentNumberOfGateways);
            if (currentNumberOfGateways < previousNumberOfGateways)
                lostCalls.OnSiloLost();
            log.Connected(currentNumberOfGateways);
        }

        public void NotifyClusterConnectionLost() => log.ConnectionLost();
    }
}

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Statehouse.Journal;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.OrleansTables.Tests;

/// <summary>
/// A PostgreSQL server of its own whose database holds the Orleans tables, and one silo that keeps membership, grain
/// states and reminders there. Shared by all tests of this suite; each uses names of its own.
/// </summary>
public sealed class OrleansDatabase : IAsyncLifetime
{
    /// <summary>What the AdoNet providers call PostgreSQL.</summary>
    public const string Invariant = "Npgsql";

    /// <summary>Grain storage that keeps a row for a cleared state.</summary>
    public const string Clearing = "Clearing";

    /// <summary>Grain storage that deletes the row.</summary>
    public const string Deleting = "Deleting";

    public const string ClusterId = "blue";
    public const string ServiceId = "statehouse-tests";

    private PostgresCluster? _cluster;
    private IHost? _silo;

    /// <summary>What the providers are given.</summary>
    public string ConnectionString { get; private set; } = "";

    public IServiceProvider Services => _silo!.Services;

    public async ValueTask InitializeAsync()
    {
        if (PostgresCluster.SkipReason is not null)
            return;
        _cluster = await PostgresCluster.StartNewAsync();
        string database = await _cluster.CreateDatabaseAsync();
        await OrleansSchema.ApplyAsync(database, SilentOperatorLog.Instance, CancellationToken.None);
        ConnectionString = OrleansSchema.ConnectionString(database);
        _silo = await StartSiloAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
            await StopAsync(_silo);
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }

    /// <summary>One more silo of the cluster; the caller stops it.</summary>
    public async Task<IHost> StartSiloAsync()
    {
        IHost silo = new HostBuilder()
            .ConfigureLogging(logging => logging.ClearProviders())
            .UseOrleans(builder => builder
                .Configure<ClusterOptions>(Name)
                .Configure<EndpointOptions>(endpoints =>
                {
                    endpoints.AdvertisedIPAddress = IPAddress.Loopback;
                    endpoints.SiloPort = FreePort();
                    endpoints.GatewayPort = FreePort();
                })
                .UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (Invariant, ConnectionString))
                .UseAdoNetReminderService(options => (options.Invariant, options.ConnectionString) = (Invariant, ConnectionString))
                .AddAdoNetGrainStorage(Clearing, options => (options.Invariant, options.ConnectionString) = (Invariant, ConnectionString))
                .AddAdoNetGrainStorage(Deleting, options =>
                {
                    (options.Invariant, options.ConnectionString) = (Invariant, ConnectionString);
                    options.DeleteStateOnClear = true;
                }))
            .Build();
        await silo.StartAsync();
        return silo;
    }

    /// <summary>A client that knows the database and no silo's address; the caller stops it.</summary>
    public async Task<IHost> StartClientAsync()
    {
        IHost client = new HostBuilder()
            .ConfigureLogging(logging => logging.ClearProviders())
            .UseOrleansClient(builder => builder
                .Configure<ClusterOptions>(Name)
                .UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (Invariant, ConnectionString)))
            .Build();
        await client.StartAsync();
        return client;
    }

    public static async Task StopAsync(IHost host)
    {
        await host.StopAsync();
        host.Dispose();
    }

    private static void Name(ClusterOptions options) => (options.ClusterId, options.ServiceId) = (ClusterId, ServiceId);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

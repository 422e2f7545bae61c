using Orleans.Configuration;
using Statehouse.Grains;
using Statehouse.Silo;

namespace Statehouse.Faults.Cluster;

/// <summary>An Orleans client of the cluster, as a program of an agent's own would have one: many clients of the harness call through it.</summary>
/// <param name="postgres">Where silos find each other: the database, straight to the server.</param>
internal sealed class GrainConnection(string postgres) : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private IHost? _host;
    private Task<IClusterClient>? _connected;

    /// <summary>Begins to connect when first asked; goes on trying until a silo answers.</summary>
    public Task<IClusterClient> ClientAsync()
    {
        lock (_gate)
            return _connected ??= ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is null)
            return;
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await _host.StopAsync(bound.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await OrleansHost.DisposeAsync(_host);
    }

    private async Task<IClusterClient> ConnectAsync()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(options => options.ClusterId = options.ServiceId = "statehouse");
            client.Configure<ClientMessagingOptions>(ClusterTuning.Tune);
            client.Configure<Orleans.Configuration.GatewayOptions>(ClusterTuning.Tune);
            client.Configure<ConnectionOptions>(ClusterTuning.Tune);
            client.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (OrleansHost.Invariant, Journal.Postgres.OrleansSchema.ConnectionString(postgres)));
            client.Services.AddStatehouseSerialization();
            client.UseConnectionRetryFilter(async (_, cancellationToken) =>
            {
                await Task.Delay(RetryDelay, cancellationToken);
                return true;
            });
        });
        _host = builder.Build();
        await _host.StartAsync();
        return _host.Services.GetRequiredService<IClusterClient>();
    }
}

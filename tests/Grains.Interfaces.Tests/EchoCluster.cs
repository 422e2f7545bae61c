using Orleans.TestingHost;

namespace Statehouse.Grains.Tests;

/// <summary>One silo and one client, each with its own serializer, messages between them as bytes.</summary>
public sealed class EchoCluster : IAsyncLifetime
{
    private InProcessTestCluster? _cluster;

    public IClusterClient Client => Cluster.Client;

    /// <summary>What a caller inside the silo has: no bytes are made between it and a grain.</summary>
    public IGrainFactory InSilo => (IGrainFactory)Cluster.GetSiloServiceProvider().GetService(typeof(IGrainFactory))!;

    private InProcessTestCluster Cluster => _cluster ?? throw new InvalidOperationException("The cluster did not start.");

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureHost(host => host.Services.AddStatehouseSerialization());
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}

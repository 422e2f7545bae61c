using Statehouse.Faults.Runs;

namespace Statehouse.Faults.Cluster.Tests.Clients;

/// <summary>A running cluster to which nothing is done; where PostgreSQL is missing there is none, and the tests are skipped.</summary>
public sealed class CalmCluster : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-calm-");
    private ClusterSystem? _system;

    internal ClusterSystem System => _system!;

    public async ValueTask InitializeAsync()
    {
        if (PostgresCluster.SkipReason is not null)
            return;
        _system = new ClusterSystem(new SystemOptions(_folder.FullName));
        await _system.StartAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_system is not null)
            await _system.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}

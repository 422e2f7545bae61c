namespace Statehouse.Faults.Cluster.Tests.Crashes;

/// <summary>Two silos and a gateway, all of them the product's own programs, that no test of the class ends.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private readonly List<ClusterMember> _members = [];
    private PostgresCluster? _postgres;

    /// <summary>Connection string.</summary>
    public string Database { get; private set; } = "";

    /// <summary>The gateway.</summary>
    public HttpClient Http { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (PostgresCluster.SkipReason is not null)
            return;
        _postgres = await PostgresCluster.StartNewAsync("max_connections = 300");
        Database = await _postgres.CreateDatabaseAsync();
        await ClusterMember.MigrateAsync(Database);
        _members.Add(await ClusterMember.StartAsync(Database, "silo"));
        _members.Add(await ClusterMember.StartAsync(Database, "silo"));
        ClusterMember gateway = await ClusterMember.StartAsync(Database, "gateway");
        _members.Add(gateway);
        Http = new HttpClient { BaseAddress = gateway.Http, Timeout = TimeSpan.FromSeconds(60) };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ClusterMember member in _members)
            await member.DisposeAsync();
        Http?.Dispose();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
    }
}

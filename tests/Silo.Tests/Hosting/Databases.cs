namespace Statehouse.Silo.Tests.Hosting;

/// <summary>Databases for clusters: one PostgreSQL for all tests of this process that do not stop it.</summary>
internal static class Databases
{
    private static readonly Lazy<Task<PostgresCluster>> Server = new(StartServerAsync);

    /// <summary>An empty one of a new name.</summary>
    /// <returns>Its connection string.</returns>
    public static async Task<string> NewAsync() => await (await Server.Value).CreateDatabaseAsync();

    /// <summary>A server with room for the connections of a few processes.</summary>
    public static Task<PostgresCluster> StartServerAsync()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        return PostgresCluster.StartNewAsync("max_connections = 300");
    }
}

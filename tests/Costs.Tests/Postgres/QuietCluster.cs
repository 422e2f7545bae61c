using Npgsql;
using Statehouse.Journal;
using Statehouse.Journal.Postgres;
using Statehouse.Testing;

namespace Statehouse.Costs.Tests.Postgres;

/// <summary>
/// A PostgreSQL server that does nothing by itself, so that what it counts is the store's doing: no vacuum, no checkpoint,
/// no replication. As durable as any.
/// </summary>
public sealed class QuietCluster : IAsyncLifetime
{
    private PostgresCluster? _cluster;

    private PostgresCluster Cluster => _cluster ?? throw new InvalidOperationException(PostgresCluster.SkipReason);

    public async ValueTask InitializeAsync()
    {
        if (PostgresCluster.SkipReason is null)
            _cluster = await PostgresCluster.StartNewAsync(
                "autovacuum = off", "checkpoint_timeout = 1h", "max_wal_size = 4GB", "wal_level = minimal", "max_wal_senders = 0", "wal_writer_delay = 10s");
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }

    /// <summary>An empty database; skips the test where there is no PostgreSQL.</summary>
    /// <returns>Its connection string.</returns>
    public Task<string> CreateDatabaseAsync()
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        return Cluster.CreateDatabaseAsync();
    }

    /// <summary>The agents of a process over a database, with one writer: so it is known what shares a batch.</summary>
    internal static async Task<AgentsUnderTest> OpenAsync(string connectionString, long snapshotTailBytesMin = long.MaxValue) => new(
        await PostgresJournalStore.OpenAsync(
            new PostgresJournalOptions { ConnectionString = connectionString, WriterCount = 1 }, SilentOperatorLog.Instance, default),
        snapshotTailBytesMin);

    /// <summary>The one number that a query of the server's own counters returns.</summary>
    internal static async Task<long> AskAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture);
    }
}

using Npgsql;
using Statehouse.Testing;

namespace Statehouse.Faults.Systems;

/// <summary>The PostgreSQL of a run: private, with fsync on, started anew when it has died unless a fault holds it down.</summary>
internal sealed class PrivatePostgres : IAsyncDisposable
{
    private const string ClientsName = "statehouse-faults";

    private static readonly TimeSpan PollDelay = TimeSpan.FromMilliseconds(200);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly string _folder;
    private readonly int _connectionsMax;
    private readonly bool _hasSmallDisk;
    private PostgresCluster? _cluster;
    private int _holds;

    /// <param name="folder">Where its log is copied to at the end.</param>
    /// <param name="connectionsMax">max_connections.</param>
    /// <param name="hasSmallDisk">Whether its data stand on a <see cref="SmallDisk"/>, where one can be mounted.</param>
    public PrivatePostgres(string folder, int connectionsMax, bool hasSmallDisk) =>
        (_folder, _connectionsMax, _hasSmallDisk) = (folder, connectionsMax, hasSmallDisk);

    /// <summary>Superuser's, straight to the server.</summary>
    public string Database { get; private set; } = "";

    /// <summary>Its data; null where no tmpfs can be mounted.</summary>
    public SmallDisk? Disk { get; private set; }

    public PostgresCluster Cluster => _cluster ?? throw new InvalidOperationException("PostgreSQL was not started.");

    public int Starts { get; private set; }

    public async Task StartAsync()
    {
        _cluster = await PostgresCluster.StartNewAsync(
            PrepareAsync,
            [
                $"max_connections = {_connectionsMax}",
                // Small write-ahead logs: a full disk is felt, and recovery is quick.
                "min_wal_size = 32MB", "max_wal_size = 64MB",
                "log_line_prefix = '%m [%p] %a '",
            ]);
        Database = await _cluster.CreateDatabaseAsync();
        Starts = 1;
    }

    /// <summary>The database for clients that the harness has itself: no session of a server's.</summary>
    public string ForClients => new NpgsqlConnectionStringBuilder(Database) { ApplicationName = ClientsName }.ConnectionString;

    /// <summary>The database through another port, for instance a proxy's.</summary>
    public string ThroughPort(int port) => new NpgsqlConnectionStringBuilder(Database) { Port = port }.ConnectionString;

    /// <summary>Starts it where it does not run and nothing holds it down.</summary>
    public async Task EnsureStartedAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (Volatile.Read(ref _holds) > 0 || Cluster.IsRunning)
                return;
            await Cluster.StartAsync();
            Starts++;
        }
        catch (InvalidOperationException)
        {
            // What made it die may last, a full disk for instance: its log says what, and whoever waits for it has a bound.
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Does something to it while nobody starts it; held down until <see cref="Release"/>.</summary>
    /// <returns>Whether it ran.</returns>
    public async Task<bool> HoldDownAsync(Func<PostgresCluster, Task> act)
    {
        Interlocked.Increment(ref _holds);
        await _turn.WaitAsync();
        try
        {
            if (!Cluster.IsRunning)
                return false;
            await act(Cluster);
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Release() => Interlocked.Decrement(ref _holds);

    /// <summary>Waits until a query is answered.</summary>
    /// <exception cref="TimeoutException">It was not, within the bound.</exception>
    public async Task WaitUntilReadyAsync(TimeSpan bound, CancellationToken cancellationToken)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(bound);
        while (true)
        {
            await EnsureStartedAsync();
            try
            {
                await PostgresCluster.ExecuteAsync(Database, "select 1");
                return;
            }
            catch (NpgsqlException error)
            {
                if (bounded.IsCancellationRequested)
                    throw new TimeoutException($"PostgreSQL did not answer within {bound}: {error.Message}", error);
            }
            await Task.Delay(PollDelay, cancellationToken);
        }
    }

    /// <summary>
    /// Waits until no session but the asker's is left: what servers had sent that died, or that stopped waiting, can then no
    /// longer be committed.
    /// </summary>
    public async Task WaitUntilAloneAsync() => await PostgresCluster.WaitUntilAsync(
        Database,
        "select count(*) = 0 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
            + $" and application_name <> '{ClientsName}'",
        "the last session of a server that was stopped has ended");

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            if (File.Exists(_cluster.LogFile))
                File.Copy(_cluster.LogFile, Path.Combine(_folder, "postgres.log"), overwrite: true);
            await _cluster.DisposeAsync();
        }
        _turn.Dispose();
    }

    private async Task PrepareAsync(string dataFolder)
    {
        if (_hasSmallDisk && SmallDisk.Unavailable is null)
            Disk = await SmallDisk.MountAsync(dataFolder);
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using Npgsql;

namespace Statehouse.Testing;

/// <summary>
/// A private PostgreSQL server in a temporary folder, on a free loopback port, as durable as a real one (fsync=on).
/// It is stopped and removed when it is disposed of or this process ends, in whatever way.
/// </summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollDelay = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan RemovalPatience = TimeSpan.FromSeconds(20);

    /// <summary>$1 the data folder, $2 the folder to remove, the rest: pg_ctl, perhaps under another user.</summary>
    private const string RemovalScript = """
        data=$1; folder=$2; shift 2
        "$@" -D "$data" -m immediate -t 10 stop > /dev/null 2>&1
        if grep -q " $data " /proc/mounts 2> /dev/null; then umount -l "$data"; fi
        rm -rf -- "$folder"
        """;

    private static readonly Lazy<Task<PostgresCluster>> s_shared = new(static () => StartNewAsync());
    private static int s_databases;

    private readonly string _folder;
    private readonly string _password = Guid.NewGuid().ToString("N");
    private readonly ExitGuard _guard;
    private int _port;

    private PostgresCluster()
    {
        _folder = Directory.CreateTempSubdirectory("statehouse-pg-").FullName;
        _guard = new ExitGuard(RemovalScript, [DataFolder, _folder, .. ShellCommand.AsServerUser, Program("pg_ctl")], RemovalPatience);
    }

    /// <summary>Why there can be no cluster here; null where there can. Tests say it when they skip themselves.</summary>
    public static string? SkipReason { get; } = PostgresBinaries.Folder is null
        ? $"PostgreSQL's server programs were not found: install them, or name their folder in {PostgresBinaries.FolderVariable}."
        : null;

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port => _port;

    /// <summary>Where PostgreSQL writes what it has to say.</summary>
    public string LogFile => Path.Combine(_folder, "server.log");

    /// <summary>The process of the server while it runs; 0 otherwise.</summary>
    public int ServerProcessId { get; private set; }

    /// <summary>One cluster for all tests of this process that do not break it.</summary>
    public static Task<PostgresCluster> SharedAsync() => s_shared.Value;

    /// <summary>A cluster of the caller's own.</summary>
    /// <param name="settings">Lines for postgresql.conf, for instance <c>max_connections = 8</c>.</param>
    public static Task<PostgresCluster> StartNewAsync(params IReadOnlyList<string> settings) => StartNewAsync(null, settings);

    /// <summary>A cluster of the caller's own, on a disk of the caller's choice.</summary>
    /// <param name="prepareDataFolder">Is given the empty data folder and may mount something there, which is unmounted at the end.</param>
    /// <param name="settings">Lines for postgresql.conf.</param>
    public static async Task<PostgresCluster> StartNewAsync(Func<string, Task>? prepareDataFolder, IReadOnlyList<string> settings)
    {
        var cluster = new PostgresCluster();
        try
        {
            Directory.CreateDirectory(cluster.DataFolder);
            if (prepareDataFolder is not null)
                await prepareDataFolder(cluster.DataFolder);
            await cluster.InitializeAsync(settings);
            await cluster.StartAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>As the superuser.</summary>
    public string ConnectionString(string database = "postgres") => new NpgsqlConnectionStringBuilder
    {
        Host = IPAddress.Loopback.ToString(),
        Port = _port,
        Username = "postgres",
        Password = _password,
        Database = database,
    }.ConnectionString;

    /// <summary>An empty database of a new name.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> CreateDatabaseAsync(string encoding = "UTF8")
    {
        string name = $"test_{Interlocked.Increment(ref s_databases)}";
        await ExecuteAsync(ConnectionString(), $"create database {name} template template0 encoding '{encoding}' lc_collate 'C' lc_ctype 'C'");
        return ConnectionString(name);
    }

    public Task DropDatabaseAsync(string connectionString) =>
        ExecuteAsync(ConnectionString(), $"drop database {DatabaseOf(connectionString)} with (force)");

    /// <summary>Ends all other sessions of a database, as an operator or a failing server would.</summary>
    public Task TerminateBackendsAsync(string connectionString) => ExecuteAsync(
        ConnectionString(),
        $"select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '{DatabaseOf(connectionString)}' and pid <> pg_backend_pid()");

    /// <summary>Runs a statement on a connection of its own.</summary>
    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using NpgsqlConnection connection = await ConnectAsync(connectionString);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<T> QueryAsync<T>(string connectionString, string sql)
    {
        await using NpgsqlConnection connection = await ConnectAsync(connectionString);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Asks a yes-or-no question until the answer is yes.</summary>
    /// <param name="connectionString">Whom to ask.</param>
    /// <param name="sql">Returns one boolean.</param>
    /// <param name="what">What is waited for: said where it does not come.</param>
    /// <exception cref="TimeoutException">It did not come within 30 s.</exception>
    public static async Task WaitUntilAsync(string connectionString, string sql, string what)
    {
        await using NpgsqlConnection connection = await ConnectAsync(connectionString);
        await using var command = new NpgsqlCommand(sql, connection);
        long start = Stopwatch.GetTimestamp();
        while (!(bool)(await command.ExecuteScalarAsync())!)
        {
            if (Stopwatch.GetElapsedTime(start) > WaitMax)
                throw new TimeoutException($"Waited {WaitMax.TotalSeconds} s in vain until {what}.");
            await Task.Delay(PollDelay);
        }
    }

    /// <summary>A session outside any pool: it ends when it is closed.</summary>
    public static async Task<NpgsqlConnection> ConnectAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Starts the server, again on the same data and the same port after a stop or kill.</summary>
    public async Task StartAsync()
    {
        await PgCtlAsync("start", "-w", "-l", LogFile, "-o", $"-p {_port}");
        string firstLine = (await File.ReadAllLinesAsync(Path.Combine(DataFolder, "postmaster.pid")))[0];
        ServerProcessId = int.Parse(firstLine, CultureInfo.InvariantCulture);
    }

    /// <summary>Whether the server's process is there; it may also have ended by itself.</summary>
    public bool IsRunning => ServerProcessId != 0 && Directory.Exists($"/proc/{ServerProcessId}");

    /// <summary>Stops the server in an orderly way; open sessions are ended.</summary>
    public async Task StopAsync()
    {
        await PgCtlAsync("stop", "-w", "-m", "fast");
        ServerProcessId = 0;
    }

    /// <summary>Stops it without a checkpoint, as a power switch would: it recovers at the next start.</summary>
    public async Task StopImmediatelyAsync()
    {
        await PgCtlAsync("stop", "-w", "-m", "immediate");
        ServerProcessId = 0;
    }

    /// <summary>kill -9 of the server and all its sessions: what is not on disk by now is gone.</summary>
    public async Task KillAsync()
    {
        if (!IsRunning)
            return;
        using Process server = Process.GetProcessById(ServerProcessId);
        server.Kill(entireProcessTree: true);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await server.WaitForExitAsync(patience.Token);
        ServerProcessId = 0;
    }

    public ValueTask DisposeAsync()
    {
        _guard.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Where PostgreSQL keeps everything.</summary>
    public string DataFolder => Path.Combine(_folder, "data");

    private async Task InitializeAsync(IReadOnlyList<string> settings)
    {
        string passwordFile = Path.Combine(_folder, "password");
        await File.WriteAllTextAsync(passwordFile, _password);
        if (ShellCommand.AsServerUser.Count > 0)
            await ShellCommand.RunAsync("chown", "-R", ShellCommand.ServerUser, _folder);
        await ShellCommand.RunAsync(
            [.. ShellCommand.AsServerUser, Program("initdb"), "-D", DataFolder, "-U", "postgres", "-A", "scram-sha-256",
             "--pwfile", passwordFile, "-E", "UTF8", "--locale=C", "--no-sync"]);
        _port = LoopbackPorts.Take();
        await File.AppendAllLinesAsync(
            Path.Combine(DataFolder, "postgresql.conf"),
            ["listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", "fsync = on", "shared_buffers = 32MB", "max_connections = 100", .. settings]);
    }

    private Task PgCtlAsync(params IReadOnlyList<string> arguments) =>
        ShellCommand.RunAsync([.. ShellCommand.AsServerUser, Program("pg_ctl"), "-D", DataFolder, .. arguments]);

    private static string DatabaseOf(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString).Database!;

    private static string Program(string name) =>
        Path.Combine(PostgresBinaries.Folder ?? throw new InvalidOperationException(SkipReason), name);
}

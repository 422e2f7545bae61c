using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Testing;

namespace Statehouse.Bench;

/// <summary>
/// What all figures of one invocation share: a temporary folder, one PostgreSQL server where any figure needs it, the plan, and
/// where results go. When this process ends, in whatever way, so does all it started.
/// </summary>
internal sealed class BenchHost : IAsyncDisposable
{
    /// <summary>More memory and room for its log than the tests' server has; what makes commits durable stays as it is.</summary>
    private static readonly string[] s_postgresSettings = ["shared_buffers = 256MB", "max_wal_size = 4GB", "fsync = on", "synchronous_commit = on", "full_page_writes = on"];

    /// <summary>Peers have a session for each caller, and several of them share the server.</summary>
    private const string ConnectionsOfPeers = "max_connections = 400";

    /// <summary>$1 the folder, whose path every server started here has on its command line; $2 dotnet; $3 the cluster commands' program.</summary>
    private const string CleanUp = """
        for cluster in "$1"/cluster-*; do
          if [ -d "$cluster" ]; then "$2" "$3" down --purge --data "$cluster" > /dev/null 2>&1; fi
        done
        for process in /proc/[0-9]*; do
          if [ "${process#/proc/}" = $$ ]; then continue; fi
          # One that has ended since the list was made has no command line any more.
          { tr '\0' '\n' < "$process/cmdline" | grep -qF -- "$1" && kill -9 "${process#/proc/}"; } 2> /dev/null
        done
        rm -rf -- "$1"
        """;

    private static readonly TimeSpan s_cleanUpPatience = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-bench-");
    private readonly ExitGuard _guard;
    private PostgresCluster? _postgres;
    private int _places;

    public BenchHost(BenchOptions options, Results results)
    {
        (Options, Results) = (options, results);
        _guard = new ExitGuard(CleanUp, [_folder.FullName, ChildProcess.DotnetHost, ClusterCommands], s_cleanUpPatience);
        Plan = options.IsQuick
            ? new LoadPlan(TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(options.Seconds ?? 0.3), options.Runs ?? 2)
            : new LoadPlan(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(options.Seconds ?? 5), options.Runs ?? 3);
    }

    public static string ClusterCommands => Repository.BuiltDll("src/LocalCluster", "Statehouse.LocalCluster");

    public BenchOptions Options { get; }

    public Results Results { get; }

    public LoadPlan Plan { get; }

    /// <summary>What the load reaches on its own by door, in requests per second: filled by the first figure.</summary>
    public Dictionary<string, double> Ceilings { get; } = [];

    /// <summary>Temporary; deleted in the end.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Smaller amounts for a quick run.</summary>
    public int Scaled(int full, int quick) => Options.IsQuick ? quick : full;

    /// <summary>A new, empty journal.</summary>
    /// <exception cref="MissingHere">There is no PostgreSQL on this machine.</exception>
    public async Task<JournalPlace> NewPlaceAsync(JournalKind kind)
    {
        string folder = Path.Combine(Folder, $"place-{++_places}");
        Directory.CreateDirectory(folder);
        if (kind == JournalKind.Sqlite)
            return new JournalPlace(kind, folder, null, null);
        PostgresCluster postgres = await PostgresAsync();
        return new JournalPlace(kind, folder, await postgres.CreateDatabaseAsync(), postgres.ServerProcessId);
    }

    /// <summary>The run's PostgreSQL server, as durable as any: checked, not only asked for.</summary>
    /// <exception cref="MissingHere">There is no PostgreSQL on this machine.</exception>
    public async Task<PostgresCluster> PostgresAsync()
    {
        if (_postgres is not null)
            return _postgres;
        if (PostgresCluster.SkipReason is { } reason)
            throw new MissingHere(reason);
        string[] settings = Options.Peers is null ? s_postgresSettings : [.. s_postgresSettings, ConnectionsOfPeers];
        _postgres = await PostgresCluster.StartNewAsync(settings);
        await JournalPlace.RequireDurableAsync(_postgres.ConnectionString());
        string version = await PostgresCluster.QueryAsync<string>(_postgres.ConnectionString(), "select version()");
        Results.SayFact($"database     {version}; {string.Join(", ", settings)}");
        return _postgres;
    }

    public async ValueTask DisposeAsync()
    {
        if (_postgres is not null)
            await _postgres.DisposeAsync();
        _guard.Dispose();
    }
}

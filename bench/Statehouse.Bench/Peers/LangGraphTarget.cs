using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Npgsql;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;
using Statehouse.Testing;

namespace Statehouse.Bench.Peers;

/// <summary>LangGraph's checkpointer on the run's PostgreSQL: a checkpoint of one channel per write, the latest checkpoint per read.</summary>
internal sealed class LangGraphTarget : IPeer, ILoadsItself
{
    private const int PreparingCallers = 32;

    private static readonly TimeSpan s_answerBound = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1);
    private static readonly FrozenSet<RequestKind> s_answers = FrozenSet.Create(RequestKind.Put, RequestKind.Get);

    private readonly NodePackages _packages;
    private readonly PostgresCluster _server;
    private readonly string _database;
    private readonly string _folder;
    private readonly bool _isQuick;

    private LangGraphTarget(NodePackages packages, PostgresCluster server, string database, string folder, bool isQuick)
    {
        (_packages, _server, _database, _folder, _isQuick) = (packages, server, database, folder, isQuick);
        Software = $"{packages.Describe("@langchain/langgraph-checkpoint-postgres")} and {packages.Describe("pg")} on Node {packages.NodeVersion}, on the run's PostgreSQL";
    }

    public string Name => "LangGraph's PostgreSQL checkpointer";

    public string Software { get; }

    public IReadOnlySet<RequestKind> Answers => s_answers;

    public string NotComparable =>
        "not the same client language: it exists for JavaScript and Python only, so its load is a Node program of ours on one thread, which is part of what is measured; "
        + $"a write is a checkpoint of one channel, kept beside all earlier ones, in four round trips and one transaction; at most {PostgresPeer.ConnectionsMax} connections";

    public IReadOnlyList<WatchedProcess> Processes => [new WatchedProcess(_server.ServerProcessId, IsDatabase: true)];

    public static async Task<LangGraphTarget> StartAsync(BenchHost host, NodePackages packages)
    {
        PostgresCluster server = await host.PostgresAsync();
        string folder = Directory.CreateDirectory(Path.Combine(host.Folder, "langgraph")).FullName;
        var target = new LangGraphTarget(packages, server, await server.CreateDatabaseAsync(), folder, host.Options.IsQuick);
        Require(await target.RunAsync(new Puts(1, 200, host.Options.Seed), 1, ["--setup"]));
        return target;
    }

    public async Task<long> PrepareAsync(IWorkload workload)
    {
        int requests = workload.Preparation.Count();
        if (requests == 0)
            return 0;
        if (workload is not Gets gets)
            throw new BenchFailure($"{Name}: no preparation for {workload.Name}.");
        return Require(await RunAsync(new Puts(gets.Agents, gets.ValueBytes, gets.Seed), PreparingCallers, ["--first", "0", "--requests", $"{requests}"])).Commits;
    }

    public Task<LoadOutcome> RunAsync(IWorkload workload, int inFlight, TimeSpan duration, long firstNumber) => RunAsync(
        workload, inFlight,
        string.Create(CultureInfo.InvariantCulture, $"--first {firstNumber} --seconds {duration.TotalSeconds} --warm-up {(_isQuick ? 0.1 : s_warmUp.TotalSeconds)}").Split(' '));

    public ValueTask<ISession> ConnectAsync(CancellationToken cancellationToken) => throw new NotSupportedException("Its load is a program of its own.");

    public async ValueTask<long?> CountCommitsAsync(CancellationToken cancellationToken) =>
        await PostgresCluster.QueryAsync<long>(_database, "select count(*) from checkpoints");

    public async ValueTask<long> DiskBytesAsync(CancellationToken cancellationToken)
    {
        await PostgresCluster.ExecuteAsync(_database, "checkpoint");
        return await PostgresCluster.QueryAsync<long>(_database, "select pg_database_size(current_database())");
    }

    public async ValueTask<long?> CrashAndCountAsync(CancellationToken cancellationToken)
    {
        await _server.KillAsync();
        await _server.StartAsync();
        return await CountCommitsAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The program's workloads are those of the same name here, with the same values in the same turn.</summary>
    private async Task<LoadOutcome> RunAsync(IWorkload workload, int inFlight, string[] more)
    {
        if (workload is not StandardWorkload standard || workload is not (Puts or Gets))
            throw new BenchFailure($"{Name} cannot be asked for {workload.Name}.");
        string values = Path.Combine(_folder, "values.txt");
        await File.WriteAllLinesAsync(values, Values.Make(standard.ValueBytes, standard.Seed).Select(value => Encoding.ASCII.GetString(value.Span)));
        await using ChildProcess load = _packages.Run("langgraph-load.mjs", Url(), [
            "--what", workload is Puts ? "put" : "get", "--agents", $"{standard.Agents}", "--in-flight", $"{inFlight}",
            "--connections", $"{PostgresPeer.ConnectionsMax}", "--values", values, .. more.Contains("--first") ? more : ["--first", "0", .. more],
        ]);
        await load.WaitForExitAsync(s_answerBound, CancellationToken.None);
        return NodeLoadOutput.Parse(load.Output).ToOutcome();
    }

    private static LoadOutcome Require(LoadOutcome outcome) =>
        outcome.FirstError is { } error ? throw new BenchFailure($"LangGraph's checkpointer could not be prepared: {error.Message}", error) : outcome;

    /// <summary>By environment: a password does not belong on a command line.</summary>
    private Dictionary<string, string> Url()
    {
        var parts = new NpgsqlConnectionStringBuilder(_database);
        return new Dictionary<string, string> { ["DATABASE_URL"] = $"postgresql://{parts.Username}:{parts.Password}@{parts.Host}:{parts.Port}/{parts.Database}" };
    }
}

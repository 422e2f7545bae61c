using System.Text.RegularExpressions;
using Statehouse.Journal;

namespace Statehouse.Faults.Tests.Crashes;

/// <summary>A single-node server with faults built in, over a store that outlives it.</summary>
internal sealed partial class FaultyNode : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-faults-");
    private readonly string[] _store;
    private ChildProcess? _process;
    private HttpClient? _http;

    private FaultyNode(string? postgres)
    {
        _store = postgres is null ? ["--data", Path.Combine(_folder.FullName, "data")] : ["--journal", "postgres", "--postgres", postgres];
        Database = postgres;
    }

    /// <summary>Connection string; null where the journal is SQLite.</summary>
    public string? Database { get; }

    public HttpClient Http => _http ?? throw new InvalidOperationException("The server is not running.");

    public ChildProcess Process => _process ?? throw new InvalidOperationException("The server was not started.");

    /// <summary>What the server that was started last came to.</summary>
    public IReadOnlyList<CrashPoint> Trace => File.Exists(TraceFile) ? [.. File.ReadAllLines(TraceFile).Select(Enum.Parse<CrashPoint>)] : [];

    private string TraceFile => Path.Combine(_folder.FullName, "trace");

    public static FaultyNode OnSqlite() => new(null);

    public static async Task<FaultyNode> OnPostgresAsync(PostgresCluster? cluster = null)
    {
        Assert.SkipWhen(PostgresCluster.SkipReason is not null, PostgresCluster.SkipReason ?? "");
        return new FaultyNode(await (cluster ?? await PostgresCluster.SharedAsync()).CreateDatabaseAsync());
    }

    /// <summary>Starts it, and waits until it serves.</summary>
    /// <param name="crashAt">POINT or POINT:N; null = nowhere.</param>
    public async Task StartAsync(string? crashAt = null)
    {
        Run(crashAt);
        Match address = await Process.WaitForOutputAsync(Listening(), Bound, TestContext.Current.CancellationToken);
        _http = new HttpClient { BaseAddress = new Uri(address.Groups[1].Value), Timeout = Bound };
    }

    /// <summary>Starts it where it is to die before it serves, and waits until it has.</summary>
    public async Task StartAndDieAsync(string crashAt)
    {
        Run(crashAt);
        await AwaitDeathAsync();
    }

    /// <summary>Waits until it has died by SIGKILL, and of nothing else.</summary>
    public async Task AwaitDeathAsync()
    {
        int exitCode = await Process.WaitForExitAsync(Bound, TestContext.Current.CancellationToken);
        Assert.True(exitCode == 128 + 9, $"The server ended with {exitCode}:\n{Process.Output}");
    }

    /// <summary><c>kill -9</c> from outside.</summary>
    public Task KillAsync() => Process.KillAsync();

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_process is not null)
            await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private void Run(string? crashAt)
    {
        _http?.Dispose();
        _http = null;
        File.Delete(TraceFile);
        string[] faults = ["--trace", TraceFile, "--snapshot-tail", "2000", .. crashAt is null ? Array.Empty<string>() : ["--crash-at", crashAt]];
        // Its own folder as working folder: a statehouse.json of somebody else is not read.
        _process = ChildProcess.StartDotnet(
            Repository.BuiltDll("tests/Faults", "Statehouse.Faults"),
            ["serve", .. faults, "--", .. _store, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"],
            _folder.FullName);
    }

    [GeneratedRegex("^Statehouse .* listens on (http://.*)$", RegexOptions.Multiline)]
    private static partial Regex Listening();
}

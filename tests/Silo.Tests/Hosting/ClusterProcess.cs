using System.Text.RegularExpressions;

namespace Statehouse.Silo.Tests.Hosting;

/// <summary>A real process of a cluster, on free loopback ports. Killed when disposed of.</summary>
internal sealed partial class ClusterProcess : IAsyncDisposable
{
    public static readonly TimeSpan StartBound = TimeSpan.FromSeconds(120);
    public static readonly TimeSpan StopBound = TimeSpan.FromSeconds(60);

    private readonly ChildProcess _process;

    private ClusterProcess(ChildProcess process)
    {
        _process = process;
        Http = new Uri(Printed("http")!);
        Api = new ApiClient(Http);
    }

    public ChildProcess Process => _process;

    public Uri Http { get; }

    /// <summary>Speaks to its HTTP.</summary>
    public ApiClient Api { get; }

    /// <summary>Runs it and waits until it says that it is ready.</summary>
    public static async Task<ClusterProcess> StartAsync(string database, string role, params string[] more)
    {
        ChildProcess process = Run(["--role", role, "--postgres", database, .. FreePorts, .. more]);
        try
        {
            await process.WaitForOutputAsync(ReadyLine(), StartBound, TestContext.Current.CancellationToken);
            return new ClusterProcess(process);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>The program with these flags and no others.</summary>
    public static ChildProcess Run(params string[] flags) =>
        ChildProcess.StartDotnet(Repository.BuiltDll("src/Silo", "Statehouse.Silo"), flags);

    /// <summary>Brings a database's tables up to date.</summary>
    public static async Task MigrateAsync(string database)
    {
        await using ChildProcess process = Run("--migrate", "--postgres", database);
        Assert.True(await process.WaitForExitAsync(StartBound, TestContext.Current.CancellationToken) == 0, process.Output);
    }

    /// <summary>What it said after <c>NAME: </c>; null where it did not.</summary>
    public string? Printed(string name) =>
        AddressLine().Matches(_process.Output).FirstOrDefault(line => line.Groups[1].Value == name)?.Groups[2].Value;

    public Task KillAsync() => _process.KillAsync();

    /// <summary>SIGTERM; returns its exit code.</summary>
    public Task<int> TerminateAsync() => _process.TerminateAsync(StopBound, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _process.DisposeAsync();
    }

    private static string[] FreePorts =>
        ["--silo-port", "127.0.0.1:0", "--gateway-port", "127.0.0.1:0", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"];

    [GeneratedRegex("^ready$", RegexOptions.Multiline)]
    private static partial Regex ReadyLine();

    [GeneratedRegex("^(http|grpc|silo|dashboard): (.*)$", RegexOptions.Multiline)]
    private static partial Regex AddressLine();
}

using System.Text.RegularExpressions;
using Statehouse.Journal;

namespace Statehouse.Faults.Cluster.Tests.Crashes;

/// <summary>A process of a cluster: the product's own program, or the one with faults built in. Killed when disposed of.</summary>
internal sealed partial class ClusterMember : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);

    private readonly string _traceFile;

    private ClusterMember(ChildProcess process, string traceFile)
    {
        Process = process;
        _traceFile = traceFile;
    }

    public ChildProcess Process { get; }

    /// <summary>What it came to; empty where no faults are built in.</summary>
    public IReadOnlyList<CrashPoint> Trace => File.Exists(_traceFile) ? [.. File.ReadAllLines(_traceFile).Select(Enum.Parse<CrashPoint>)] : [];

    /// <summary>Its HTTP.</summary>
    public Uri Http => new(HttpLine().Match(Process.Output).Groups[1].Value);

    /// <summary>The product's own program, once it is ready.</summary>
    public static Task<ClusterMember> StartAsync(string database, string role) =>
        StartAsync(Repository.BuiltDll("src/Silo", "Statehouse.Silo"), [], database, role, "");

    /// <summary>A silo that is to die, with a gateway in its process, once it is ready.</summary>
    public static Task<ClusterMember> StartFaultyAsync(string database, string crashAt, string traceFile) => StartAsync(
        Repository.BuiltDll("tests/Faults.Cluster", "Statehouse.Faults.Cluster"),
        ["silo", "--crash-at", crashAt, "--trace", traceFile, "--snapshot-tail", "2000", "--"], database, "all", traceFile);

    public static async Task MigrateAsync(string database)
    {
        await using ChildProcess process = ChildProcess.StartDotnet(Repository.BuiltDll("src/Silo", "Statehouse.Silo"), ["--migrate", "--postgres", database]);
        Assert.True(await process.WaitForExitAsync(Bound, TestContext.Current.CancellationToken) == 0, process.Output);
    }

    /// <summary>Waits until it has died by SIGKILL, and of nothing else.</summary>
    public async Task AwaitDeathAsync()
    {
        int exitCode = await Process.WaitForExitAsync(Bound, TestContext.Current.CancellationToken);
        Assert.True(exitCode == 128 + 9, $"The silo ended with {exitCode}:\n{Process.Output}");
    }

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private static async Task<ClusterMember> StartAsync(string dll, string[] faults, string database, string role, string traceFile)
    {
        ChildProcess process = ChildProcess.StartDotnet(
            dll,
            [
                .. faults, "--role", role, "--postgres", database, "--silo-port", "127.0.0.1:0", "--gateway-port", "127.0.0.1:0",
                "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0",
            ]);
        try
        {
            await process.WaitForOutputAsync(ReadyLine(), Bound, TestContext.Current.CancellationToken);
            return new ClusterMember(process, traceFile);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    [GeneratedRegex("^ready$", RegexOptions.Multiline)]
    private static partial Regex ReadyLine();

    [GeneratedRegex("^http: (.*)$", RegexOptions.Multiline)]
    private static partial Regex HttpLine();
}

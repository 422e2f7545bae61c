using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Statehouse.Testing;

namespace Statehouse.Bench.Targets;

/// <summary>The single-node server as a process of its own, as users run it.</summary>
internal sealed partial class StatehouseServer : IAsyncDisposable
{
    private static readonly TimeSpan StartBound = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StopBound = TimeSpan.FromMinutes(1);

    private readonly ChildProcess _process;
    private bool _isDisposed;

    private StatehouseServer(ChildProcess process, IPEndPoint http, string grpc, TimeSpan startTook)
    {
        _process = process;
        (Http, Grpc, StartTook) = (http, grpc, startTook);
    }

    public IPEndPoint Http { get; }

    /// <summary>ADDR:PORT.</summary>
    public string Grpc { get; }

    public int ProcessId => _process.Id;

    /// <summary>From the process's start until it answered that it is ready.</summary>
    public TimeSpan StartTook { get; }

    /// <exception cref="TimeoutException">It was not ready within two minutes; says what it printed.</exception>
    public static async Task<StatehouseServer> StartAsync(JournalPlace place)
    {
        Directory.CreateDirectory(place.Folder);
        string program = Repository.BuiltDll("src/Gateway", "Statehouse.Gateway");
        long began = Stopwatch.GetTimestamp();
        // Its own folder as working folder: a statehouse.json of somebody else is not read.
        ChildProcess process = ChildProcess.StartDotnet(program, [.. place.ServerFlags, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"], place.Folder);
        try
        {
            Match http = await process.WaitForOutputAsync(HttpAddress(), StartBound, CancellationToken.None);
            Match grpc = await process.WaitForOutputAsync(GrpcAddress(), StartBound, CancellationToken.None);
            var address = IPEndPoint.Parse(http.Groups[1].Value);
            await WaitUntilReadyAsync(address, process);
            return new StatehouseServer(process, address, grpc.Groups[1].Value, Stopwatch.GetElapsedTime(began));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>SIGTERM: it drains, and all it keeps is in its files.</summary>
    public async Task StopAsync()
    {
        int code = await _process.TerminateAsync(StopBound, CancellationToken.None);
        if (code != 0)
            throw new Measuring.BenchFailure($"The server ended with {code}:\n{_process.Output}");
    }

    public void Pause() => _process.Pause();

    public void Resume() => _process.Resume();

    /// <summary><c>kill -9</c>, where it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        await _process.DisposeAsync();
    }

    private static async Task WaitUntilReadyAsync(IPEndPoint address, ChildProcess process)
    {
        using var patience = new CancellationTokenSource(StartBound);
        while (!IsReady(address))
        {
            if (process.HasExited)
                throw new InvalidOperationException($"The server ended with {process.ExitCode}:\n{process.Output}");
            await Task.Delay(5, patience.Token);
        }
    }

    private static bool IsReady(IPEndPoint address)
    {
        try
        {
            using var client = new Load.BlockingHttpClient(address);
            return client.Send("GET /readyz", default, out _) == 200;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"listens on http://(\S+)")]
    private static partial Regex HttpAddress();

    [GeneratedRegex(@"^gRPC: (\S+)", RegexOptions.Multiline)]
    private static partial Regex GrpcAddress();
}

using System.Net;
using System.Net.Sockets;

namespace Statehouse.Testing;

/// <summary>
/// The single-node server as a real process on free loopback ports, with an SQLite journal in a temporary folder. Can be
/// killed and started again on the same ports and data.
/// </summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollDelay = TimeSpan.FromMilliseconds(50);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-server-");
    private readonly int _httpPort;
    private readonly int _grpcPort;
    private ChildProcess? _process;

    /// <summary>One that is not started yet.</summary>
    public ServerProcess()
    {
        (_httpPort, _grpcPort) = FreePorts();
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_httpPort}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>Speaks to the server, whichever process it is now.</summary>
    public HttpClient Http { get; }

    /// <summary>For instance <c>127.0.0.1:41234</c>.</summary>
    public string Address => $"127.0.0.1:{_httpPort}";

    /// <summary>For instance <c>127.0.0.1:41235</c>: gRPC, HTTP/2 without TLS.</summary>
    public string GrpcAddress => $"127.0.0.1:{_grpcPort}";

    /// <summary>Flags that it is started with besides those of its addresses and data directory.</summary>
    public IReadOnlyList<string> MoreFlags { get; init; } = [];

    /// <summary>Variables that it is started with besides this process's own.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The data directory.</summary>
    public string DataFolder => Path.Combine(_folder.FullName, "data");

    public ChildProcess Process => _process ?? throw new InvalidOperationException("The server was not started.");

    /// <summary>Starts a new server and waits until it is ready.</summary>
    public static async Task<ServerProcess> StartNewAsync(CancellationToken cancellationToken)
    {
        var server = new ServerProcess();
        try
        {
            await server.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it, for the first time or after <see cref="KillAsync"/>, and waits until it is ready.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        string dll = Repository.BuiltDll("src/Gateway", "Statehouse.Gateway");
        string[] flags = ["--data", DataFolder, "--http", Address, "--grpc", GrpcAddress, .. MoreFlags];
        // Its own folder as working folder: a statehouse.json of somebody else is not read.
        _process = ChildProcess.StartDotnet(dll, flags, _folder.FullName, environment: Environment);
        await WaitUntilReadyAsync(cancellationToken);
    }

    /// <summary><c>kill -9</c>.</summary>
    public async Task KillAsync()
    {
        if (_process is null)
            return;
        await _process.DisposeAsync();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Http.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(StartBound);
        while (!await IsReadyAsync(bounded.Token))
        {
            if (Process.HasExited)
                throw new InvalidOperationException($"The server ended with {Process.ExitCode}:\n{Process.Output}");
            if (bounded.IsCancellationRequested)
                throw new TimeoutException($"The server was not ready within {StartBound}:\n{Process.Output}");
            await Task.Delay(PollDelay, cancellationToken);
        }
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            using HttpResponseMessage response = await Http.GetAsync("/readyz", cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Two ports that were free a moment ago; held together, so that they differ.</summary>
    private static (int First, int Second) FreePorts()
    {
        using var first = new TcpListener(IPAddress.Loopback, 0);
        using var second = new TcpListener(IPAddress.Loopback, 0);
        first.Start();
        second.Start();
        return (((IPEndPoint)first.LocalEndpoint).Port, ((IPEndPoint)second.LocalEndpoint).Port);
    }
}

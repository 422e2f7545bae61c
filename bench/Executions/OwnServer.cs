using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Statehouse.Bench.Executions;

/// <summary>A single-node server on SQLite that is started and stopped: stopped, its files hold all that it keeps.</summary>
internal sealed class OwnServer : IDisposable
{
    private readonly Process _process;

    private OwnServer(Process process, IPEndPoint address)
    {
        _process = process;
        Address = address;
    }

    public IPEndPoint Address { get; }

    /// <param name="program">The server's dll.</param>
    /// <param name="data">Its data directory.</param>
    /// <exception cref="TimeoutException">It did not listen within 30 s.</exception>
    public static async Task<OwnServer> StartAsync(string program, string data)
    {
        IPEndPoint http = FreeAddress();
        Process process = Process.Start(new ProcessStartInfo("dotnet", [program, "--data", data, "--http", $"{http}", "--grpc", $"{FreeAddress()}"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        for (long began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30); await Task.Delay(100))
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(http);
                return new OwnServer(process, http);
            }
            catch (SocketException)
            {
                // Not listening yet.
            }
        }
        process.Kill();
        throw new TimeoutException($"The server {program} did not listen on {http} within 30 s.");
    }

    /// <summary>SIGTERM: it drains, writes everything to its database file, and ends.</summary>
    public async Task StopAsync()
    {
        using Process kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private static IPEndPoint FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Statehouse.Faults.Tests.Clients;

/// <summary>An HTTP/1.1 server that answers as it is told, badly mostly, and counts the requests that it has read whole.</summary>
internal sealed class MisbehavingServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly Func<Request, Task> _answer;
    private readonly Task _accepting;
    private int _requests;

    public MisbehavingServer(Func<Request, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Requests whose head and body have arrived.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>A port that nobody listens on.</summary>
    public static string NobodysAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
    }

    public static string Reply(int status, string body, string headers = "") =>
        $"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Stop();
        await _accepting;
        _ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_ended.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient connection)
    {
        using (connection)
        {
            try
            {
                for (int number = 1; await ReadAsync(connection.GetStream()) is { } target; number++)
                {
                    Interlocked.Increment(ref _requests);
                    await _answer(new Request(connection, target, number, _ended.Token));
                }
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException or SocketException)
            {
                // The client went, the answer was to cut the connection, or the test is over.
            }
        }
    }

    /// <returns>Method and target; null at the end of the connection.</returns>
    private async Task<string?> ReadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _ended.Token) == 0)
                return null;
            head.Append((char)one[0]);
        }
        string[] lines = head.ToString().Split("\r\n");
        string? length = lines.FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
        if (length is not null)
            await stream.ReadExactlyAsync(new byte[int.Parse(length["Content-Length: ".Length..], System.Globalization.CultureInfo.InvariantCulture)], _ended.Token);
        return lines[0][..lines[0].LastIndexOf(' ')];
    }

    /// <param name="Connection">Whose.</param>
    /// <param name="Target">For instance <c>POST /v1/commits</c>.</param>
    /// <param name="Number">1, 2, 3, … on its connection.</param>
    /// <param name="Ended">The test is over.</param>
    public sealed record Request(TcpClient Connection, string Target, int Number, CancellationToken Ended)
    {
        public async Task SendAsync(string bytes) => await Connection.GetStream().WriteAsync(Encoding.UTF8.GetBytes(bytes), Ended);

        public Task HangAsync() => Task.Delay(Timeout.Infinite, Ended);

        /// <summary>RST.</summary>
        public Task ResetAsync()
        {
            Connection.Client.LingerState = new LingerOption(true, 0);
            Connection.Close();
            return Task.CompletedTask;
        }

        /// <summary>FIN.</summary>
        public Task CloseAsync()
        {
            Connection.Close();
            return Task.CompletedTask;
        }
    }
}

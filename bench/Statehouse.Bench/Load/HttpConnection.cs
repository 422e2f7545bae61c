using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Statehouse.Bench.Load;

/// <param name="Status">The HTTP status.</param>
/// <param name="Body">Valid until the connection's next request.</param>
internal readonly record struct HttpReply(int Status, ReadOnlyMemory<byte> Body);

/// <summary>
/// One HTTP/1.1 connection, one request at a time. Knows just enough of HTTP to be cheaper than what it measures:
/// replies must carry a Content-Length, as the gateway's do outside of event streams.
/// </summary>
internal sealed class HttpConnection(IPEndPoint address) : IAsyncDisposable
{
    private byte[] _buffer = new byte[16 * 1024];
    private Socket? _socket;

    /// <exception cref="SocketException">Refused or broken; the next call connects anew.</exception>
    /// <exception cref="IOException">Closed in mid-reply; the next call connects anew.</exception>
    public async Task<HttpReply> SendAsync(string method, string path, string? headers, byte[]? body, CancellationToken cancellationToken)
    {
        try
        {
            _socket ??= await ConnectAsync(cancellationToken);
            byte[] request = Encoding.ASCII.GetBytes(
                $"{method} {path} HTTP/1.1\r\nHost: bench\r\n{headers}Content-Length: {body?.Length ?? 0}\r\n\r\n");
            // One segment for both: a second one would wait for the first one's acknowledgement.
            await _socket.SendAsync(body is null ? request : [.. request, .. body], cancellationToken);
            return await ReceiveAsync(_socket, cancellationToken);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        _socket?.Dispose();
        _socket = null;
        return ValueTask.CompletedTask;
    }

    private async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address, cancellationToken);
        return socket;
    }

    private async Task<HttpReply> ReceiveAsync(Socket socket, CancellationToken cancellationToken)
    {
        int length = 0;
        int bodyStart = -1;
        int bodyLength = 0;
        while (bodyStart < 0 || length < bodyStart + bodyLength)
        {
            if (length == _buffer.Length)
                Array.Resize(ref _buffer, _buffer.Length * 2);
            int received = await socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
            if (received == 0)
                throw new IOException("The server closed the connection in the middle of a reply.");
            length += received;
            if (bodyStart < 0 && _buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is >= 0 and int end)
            {
                bodyStart = end + 4;
                bodyLength = ContentLength(_buffer.AsSpan(0, end));
            }
        }
        int status = int.Parse(_buffer.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture);
        return new HttpReply(status, _buffer.AsMemory(bodyStart, bodyLength));
    }

    private static int ContentLength(ReadOnlySpan<byte> head)
    {
        ReadOnlySpan<byte> name = "Content-Length: "u8;
        int at = head.IndexOf(name);
        return at >= 0 && Utf8Parser.TryParse(head[(at + name.Length)..], out int length, out _) ? length : 0;
    }
}

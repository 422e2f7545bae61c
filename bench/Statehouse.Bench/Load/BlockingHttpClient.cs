using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Statehouse.Bench.Load;

/// <summary>
/// One HTTP/1.1 connection on the thread that calls it, one request at a time: two system calls and no allocation per request, so
/// that the server is what is measured. Replies carry a Content-Length, as the gateway's do outside of event streams.
/// </summary>
internal sealed class BlockingHttpClient : IDisposable
{
    private readonly Socket _socket;
    private byte[] _sent = new byte[16 * 1024];
    private byte[] _received = new byte[16 * 1024];

    private readonly byte[] _head;

    /// <param name="address">Where the server listens.</param>
    /// <param name="headers">What each request has beside host and length, each line with its end: ASCII.</param>
    public BlockingHttpClient(IPEndPoint address, string headers = "")
    {
        _head = Encoding.ASCII.GetBytes($" HTTP/1.1\r\nHost: bench\r\n{headers}Content-Length: ");
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(address);
    }

    /// <param name="start">Method and path, for instance <c>GET /readyz</c>: ASCII, percent-encoded.</param>
    /// <param name="body">Empty for none.</param>
    /// <param name="reply">Its body; valid until the next request.</param>
    /// <returns>The status.</returns>
    /// <exception cref="IOException">The server closed the connection.</exception>
    /// <exception cref="SocketException">The connection broke.</exception>
    public int Send(string start, ReadOnlySpan<byte> body, out ReadOnlySpan<byte> reply)
    {
        Reserve(ref _sent, start.Length + _head.Length + body.Length + 40);
        int length = Encoding.ASCII.GetBytes(start, _sent);
        length += Append(length, _head);
        Utf8Formatter.TryFormat(body.Length, _sent.AsSpan(length), out int digits);
        length += digits;
        length += Append(length, "\r\n\r\n"u8);
        length += Append(length, body);
        for (int at = 0; at < length;)
            at += _socket.Send(_sent.AsSpan(at, length - at));
        return Receive(out reply);
    }

    public void Dispose() => _socket.Dispose();

    private int Append(int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_sent.AsSpan(at));
        return bytes.Length;
    }

    private int Receive(out ReadOnlySpan<byte> reply)
    {
        int length = 0;
        int bodyStart = -1;
        int bodyLength = 0;
        while (bodyStart < 0 || length < bodyStart + bodyLength)
        {
            Reserve(ref _received, Math.Max(length + 1, bodyStart + bodyLength));
            int received = _socket.Receive(_received.AsSpan(length));
            if (received == 0)
                throw new IOException("The server closed the connection in the middle of a reply.");
            length += received;
            if (bodyStart < 0 && _received.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is >= 0 and int end)
            {
                bodyStart = end + 4;
                bodyLength = ContentLength(_received.AsSpan(0, end));
            }
        }
        reply = _received.AsSpan(bodyStart, bodyLength);
        return int.Parse(_received.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static int ContentLength(ReadOnlySpan<byte> head)
    {
        ReadOnlySpan<byte> name = "Content-Length: "u8;
        int at = head.IndexOf(name);
        // Some servers write names in small letters.
        if (at < 0)
            at = head.IndexOf("content-length: "u8);
        if (at < 0 || !Utf8Parser.TryParse(head[(at + name.Length)..], out int length, out _))
            throw new IOException($"A reply without a length: {Encoding.ASCII.GetString(head)}");
        return length;
    }

    private static void Reserve(ref byte[] buffer, int bytes)
    {
        if (buffer.Length < bytes)
            Array.Resize(ref buffer, Math.Max(bytes, buffer.Length * 2));
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Statehouse.Costs.Tests.Allocations;

/// <summary>
/// One HTTP/1.1 connection whose requests are made beforehand and sent on the thread that calls: what its thread allocates
/// can be told from what the server does, in one process.
/// </summary>
internal sealed class HttpCaller : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _received = new byte[1 << 20];

    public HttpCaller(Uri address) => _socket.Connect(IPEndPoint.Parse(address.Authority));

    /// <param name="method">GET, PUT, …</param>
    /// <param name="path">As it goes out, with its query.</param>
    /// <param name="body">JSON; empty = none.</param>
    public static byte[] Request(string method, string path, ReadOnlySpan<byte> body = default) =>
    [
        .. Encoding.ASCII.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: costs\r\n"
            + (body.IsEmpty ? "\r\n" : $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n")),
        .. body,
    ];

    /// <summary>Sends a request and takes in the whole reply.</summary>
    /// <exception cref="InvalidOperationException">The status was not 200 or 201.</exception>
    public void Call(byte[] request)
    {
        _socket.Send(request);
        int length = 0;
        int end;
        while ((end = _received.AsSpan(0, length).IndexOf("\r\n\r\n"u8)) < 0)
            length += Receive(length);
        Span<byte> head = _received.AsSpan(0, end + 2);
        if (!head.StartsWith("HTTP/1.1 20"u8))
            throw new InvalidOperationException($"The server answered: {Encoding.ASCII.GetString(_received, 0, length)}");
        int expected = end + 4 + ContentLength(head);
        while (length < expected)
            length += Receive(length);
    }

    public void Dispose() => _socket.Dispose();

    private static int ContentLength(ReadOnlySpan<byte> head)
    {
        ReadOnlySpan<byte> name = "\r\nContent-Length: "u8;
        ReadOnlySpan<byte> value = head[(head.IndexOf(name) + name.Length)..];
        return int.Parse(value[..value.IndexOf((byte)'\r')], System.Globalization.CultureInfo.InvariantCulture);
    }

    private int Receive(int offset)
    {
        int read = _socket.Receive(_received.AsSpan(offset));
        return read > 0 ? read : throw new InvalidOperationException("The server closed the connection.");
    }
}

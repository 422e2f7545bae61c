using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Statehouse.Costs.Tests.Allocations;

/// <summary>
/// One gRPC connection with HTTP/2 frames of its own (RFC 9113), one call after the other on the thread that calls: as
/// <see cref="HttpCaller"/>, so that the server's allocations can be told from the caller's.
/// </summary>
internal sealed class GrpcCaller : IDisposable
{
    private const int FrameHeaderBytes = 9;
    private const int PrefixBytes = 5;
    private const byte Data = 0, Headers = 1, Settings = 4, Ping = 6, WindowUpdate = 8;
    private const byte EndStream = 1, Ack = 1, EndHeaders = 4;

    // The server uses no dynamic table, having been told so, and no Huffman code: literal name, length 1, "0".
    private static readonly byte[] StatusOk = [.. "grpc-status"u8, 1, (byte)'0'];

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _received = new byte[64 * 1024];
    private int _nextStream = 1;

    public GrpcCaller(Uri address)
    {
        _socket.Connect(IPEndPoint.Parse(address.Authority));
        // No header table (1); windows that no reply can use up (4, and the connection's own).
        _socket.Send(
        [
            .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8,
            .. Frame(Settings, 0, 0, [0, 1, 0, 0, 0, 0, 0, 4, 0x7F, 0xFF, 0xFF, 0xFF]),
            .. Frame(WindowUpdate, 0, 0, [0x7F, 0xFF, 0, 0]),
        ]);
    }

    /// <summary>A length-delimited field of a message: number, length, content.</summary>
    public static byte[] Field(int number, ReadOnlySpan<byte> content) =>
        content.Length < 128
            ? [(byte)(number << 3 | 2), (byte)content.Length, .. content]
            : [(byte)(number << 3 | 2), (byte)(content.Length & 0x7F | 0x80), (byte)(content.Length >> 7), .. content];

    public static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    /// <summary>The reply's message.</summary>
    /// <exception cref="InvalidOperationException">The status was not OK.</exception>
    public byte[] Call(string method, ReadOnlySpan<byte> message)
    {
        int stream = _nextStream;
        _nextStream += 2;
        byte[] headers =
        [
            0x83, 0x86, // :method POST, :scheme http
            .. Literal(":path", $"/statehouse.v1.StatehouseService/{method}"), .. Literal(":authority", "costs"),
            .. Literal("content-type", "application/grpc"), .. Literal("te", "trailers"),
        ];
        byte[] prefix = new byte[PrefixBytes];
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), message.Length);
        _socket.Send([.. Frame(Headers, EndHeaders, stream, headers), .. Frame(Data, EndStream, stream, [.. prefix, .. message])]);
        return Reply(method);
    }

    public void Dispose() => _socket.Dispose();

    private byte[] Reply(string method)
    {
        byte[]? message = null;
        while (true)
        {
            ReadOnlySpan<byte> header = Receive(0, FrameHeaderBytes);
            int length = header[0] << 16 | header[1] << 8 | header[2];
            (byte type, byte flags) = (header[3], header[4]);
            ReadOnlySpan<byte> payload = Receive(FrameHeaderBytes, length);
            if (type is Settings or Ping && (flags & Ack) == 0)
                _socket.Send(Frame(type, Ack, 0, type == Ping ? payload : []));
            else if (type == Data && length >= PrefixBytes)
                message = payload[PrefixBytes..].ToArray();
            else if (type == Headers && (flags & EndStream) != 0 && message is not null && payload.IndexOf(StatusOk) >= 0)
                return message;
            else if (type is not (Data or Settings or Ping or WindowUpdate) && (type != Headers || (flags & EndStream) != 0))
                throw new InvalidOperationException($"{method} was not OK: frame {type}, {Encoding.ASCII.GetString(payload)}");
        }
    }

    private ReadOnlySpan<byte> Receive(int offset, int bytes)
    {
        for (int have = 0; have < bytes;)
        {
            int read = _socket.Receive(_received.AsSpan(offset + have, bytes - have));
            have += read > 0 ? read : throw new InvalidOperationException("The server closed the connection.");
        }
        return _received.AsSpan(offset, bytes);
    }

    /// <summary>A header without indexing, name and value shorter than 127 bytes.</summary>
    private static byte[] Literal(string name, string value) =>
        [0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];

    private static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[FrameHeaderBytes + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        frame[1] = (byte)(payload.Length >> 8);
        frame[2] = (byte)payload.Length;
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(FrameHeaderBytes));
        return frame;
    }
}

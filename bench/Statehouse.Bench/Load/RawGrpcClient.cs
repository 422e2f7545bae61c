using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Statehouse.Bench.Load;

/// <summary>
/// One client that makes one unary call after the other over HTTP/2 frames of its own, on the thread that calls it: two
/// system calls and no more than a copy per call, so that the server is what is measured. HTTP/2: RFC 9113, HPACK: RFC 7541.
/// </summary>
internal sealed class RawGrpcClient : IDisposable
{
    private const int FrameHeaderBytes = 9;
    private const int PrefixBytes = 5;
    private const byte Data = 0, Headers = 1, ResetStream = 3, Settings = 4, Ping = 6, GoAway = 7;
    private const byte EndStream = 1, Ack = 1, EndHeaders = 4;

    // Without a dynamic table or Huffman code the trailer can be found as it stands: literal name, length 1, "0".
    private static readonly byte[] StatusOk = [.. "grpc-status"u8, 1, (byte)'0'];

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Dictionary<string, byte[]> _headerBlocks = [];
    private readonly string _authority;
    private readonly byte[] _sent = new byte[4096];
    private byte[] _received = new byte[64 * 1024];
    private int _start;
    private int _end;
    private int _nextStream = 1;

    public RawGrpcClient(string address)
    {
        _authority = address;
        _socket.Connect(IPEndPoint.Parse(address));
        // No header table (1) for the server to fill; a window (4) that no reply can use up.
        byte[] settings = [0, 1, 0, 0, 0, 0, 0, 4, 0x7F, 0xFF, 0xFF, 0xFF];
        _socket.Send([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, 0, settings), .. Frame(8, 0, 0, [0x7F, 0xFF, 0, 0])]);
    }

    /// <summary>One call; returns the reply's message.</summary>
    /// <exception cref="InvalidOperationException">The status was not OK.</exception>
    public byte[] Call(string method, ReadOnlySpan<byte> message)
    {
        int stream = _nextStream;
        _nextStream += 2;
        byte[] block = HeaderBlock(method);
        int length = WriteFrame(_sent, Headers, EndHeaders, stream, block);
        Span<byte> prefixed = stackalloc byte[PrefixBytes + message.Length];
        prefixed[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(prefixed[1..], message.Length);
        message.CopyTo(prefixed[PrefixBytes..]);
        length += WriteFrame(_sent.AsSpan(length), Data, EndStream, stream, prefixed);
        _socket.Send(_sent.AsSpan(0, length));
        return Reply(method);
    }

    public void Dispose() => _socket.Dispose();

    private byte[] Reply(string method)
    {
        byte[]? message = null;
        while (true)
        {
            ReadOnlySpan<byte> payload = NextFrame(out byte type, out byte flags);
            if (type == Data && payload.Length >= PrefixBytes)
                message = payload[PrefixBytes..].ToArray();
            else if (type == Settings && (flags & Ack) == 0)
                _socket.Send(Frame(Settings, Ack, 0, []));
            else if (type == Ping && (flags & Ack) == 0)
                _socket.Send(Frame(Ping, Ack, 0, payload));
            else if (type is ResetStream or GoAway)
                throw new InvalidOperationException($"The server ended {method} with frame type {type}.");
            if (type != Headers || (flags & EndStream) == 0)
                continue;
            if (message is null || payload.IndexOf(StatusOk) < 0)
                throw new InvalidOperationException($"{method} was not OK: {Encoding.ASCII.GetString(payload)}");
            return message;
        }
    }

    private ReadOnlySpan<byte> NextFrame(out byte type, out byte flags)
    {
        Fill(FrameHeaderBytes);
        ReadOnlySpan<byte> header = _received.AsSpan(_start, FrameHeaderBytes);
        int length = header[0] << 16 | header[1] << 8 | header[2];
        (type, flags) = (header[3], header[4]);
        Fill(FrameHeaderBytes + length);
        ReadOnlySpan<byte> payload = _received.AsSpan(_start + FrameHeaderBytes, length);
        _start += FrameHeaderBytes + length;
        return payload;
    }

    private void Fill(int bytes)
    {
        if (_end - _start >= bytes)
            return;
        if (_start + bytes > _received.Length)
        {
            _received.AsSpan(_start, _end - _start).CopyTo(_received);
            (_start, _end) = (0, _end - _start);
            if (bytes > _received.Length)
                Array.Resize(ref _received, bytes);
        }
        while (_end - _start < bytes)
        {
            int read = _socket.Receive(_received.AsSpan(_end));
            if (read == 0)
                throw new InvalidOperationException("The server closed the connection.");
            _end += read;
        }
    }

    private byte[] HeaderBlock(string method)
    {
        if (!_headerBlocks.TryGetValue(method, out byte[]? block))
        {
            block =
            [
                0x83, 0x86, // :method POST, :scheme http
                .. Literal(":path", $"/statehouse.v1.StatehouseService/{method}"), .. Literal(":authority", _authority),
                .. Literal("content-type", "application/grpc"), .. Literal("te", "trailers"),
            ];
            _headerBlocks.Add(method, block);
        }
        return block;
    }

    /// <summary>A header without indexing, name and value shorter than 127 bytes.</summary>
    private static byte[] Literal(string name, string value) =>
        [0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];

    private static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[FrameHeaderBytes + payload.Length];
        WriteFrame(frame, type, flags, stream, payload);
        return frame;
    }

    private static int WriteFrame(Span<byte> target, byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        target[0] = (byte)(payload.Length >> 16);
        target[1] = (byte)(payload.Length >> 8);
        target[2] = (byte)payload.Length;
        target[3] = type;
        target[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(target[5..], stream);
        payload.CopyTo(target[FrameHeaderBytes..]);
        return FrameHeaderBytes + payload.Length;
    }
}

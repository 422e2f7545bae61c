using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Statehouse.Bench.Load;

/// <summary>
/// Answers every HTTP/1.1 request, and on its other port every unary gRPC call, with the same few bytes and does nothing else:
/// what the load reaches here is the most that it could ever show of a server. A process of its own, as a server is.
/// </summary>
internal static class NoopServer
{
    private const int FrameHeaderBytes = 9;
    private const byte Data = 0, Headers = 1, EndStream = 1, EndHeaders = 4;

    private static readonly byte[] HttpReply =
        [.. "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"exists\": false}"u8];

    /// <summary>Serves until the process is ended.</summary>
    public static async Task RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        using Socket http = Listen();
        using Socket grpc = Listen();
        Serve(http, AnswerHttp);
        Serve(grpc, AnswerGrpc);
        await output.WriteLineAsync($"no-op: HTTP {http.LocalEndPoint} gRPC {grpc.LocalEndPoint}");
        await output.FlushAsync(cancellationToken);
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(1024);
        return socket;
    }

    private static void Serve(Socket listener, Action<Socket> answer) => _ = Task.Factory.StartNew(
        () =>
        {
            while (true)
            {
                Socket caller = listener.Accept();
                caller.NoDelay = true;
                _ = Task.Factory.StartNew(
                    () =>
                    {
                        using (caller)
                            answer(caller);
                    },
                    CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Requests come whole and one at a time, as <see cref="BlockingHttpClient"/> sends small ones.</summary>
    private static void AnswerHttp(Socket caller)
    {
        byte[] buffer = new byte[64 * 1024];
        while (caller.Receive(buffer) > 0)
            caller.Send(HttpReply);
    }

    private static void AnswerGrpc(Socket caller)
    {
        var input = new BufferedStream(new NetworkStream(caller), 64 * 1024);
        byte[] buffer = new byte[64 * 1024];
        input.ReadExactly(buffer.AsSpan(0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.Length));
        byte[] reply = GrpcReply();
        while (input.ReadAtLeast(buffer.AsSpan(0, FrameHeaderBytes), FrameHeaderBytes, throwOnEndOfStream: false) == FrameHeaderBytes)
        {
            int length = buffer[0] << 16 | buffer[1] << 8 | buffer[2];
            bool isWholeCall = buffer[3] == Data && (buffer[4] & EndStream) != 0;
            int stream = BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(5));
            input.ReadExactly(buffer.AsSpan(0, length));
            if (isWholeCall)
                caller.Send(For(reply, stream));
        }
    }

    /// <summary>Head, one empty message, trailer; the stream's number is filled in for each call.</summary>
    private static byte[] GrpcReply() =>
    [
        .. Frame(Headers, EndHeaders, [0x88, .. Literal("content-type", "application/grpc")]),
        .. Frame(Data, 0, [0, 0, 0, 0, 0]),
        .. Frame(Headers, EndHeaders | EndStream, Literal("grpc-status", "0")),
    ];

    private static byte[] For(byte[] reply, int stream)
    {
        for (int at = 0; at < reply.Length;)
        {
            BinaryPrimitives.WriteInt32BigEndian(reply.AsSpan(at + 5), stream);
            at += FrameHeaderBytes + (reply[at] << 16 | reply[at + 1] << 8 | reply[at + 2]);
        }
        return reply;
    }

    private static byte[] Frame(byte type, byte flags, byte[] payload) => [0, 0, (byte)payload.Length, type, flags, 0, 0, 0, 0, .. payload];

    private static byte[] Literal(string name, string value) =>
        [0, (byte)name.Length, .. System.Text.Encoding.ASCII.GetBytes(name), (byte)value.Length, .. System.Text.Encoding.ASCII.GetBytes(value)];
}

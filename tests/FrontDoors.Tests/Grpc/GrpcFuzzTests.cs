using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Statehouse.FrontDoors.Tests.Fuzzing;
using Statehouse.Testing;
using Statehouse.V1;

namespace Statehouse.FrontDoors.Tests.Grpc;

/// <summary>HTTP/2 connections of calls to every method, changed at random, against a real server.</summary>
public sealed class GrpcFuzzTests
{
    private const int Workers = 16;
    private const long PeakBytesMax = 700L << 20;

    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(100);

    private static readonly (string Method, byte[] Message)[] Calls =
    [
        ("Health", []),
        ("Version", []),
        ("BeginTransaction", new BeginTransactionRequest { TimeoutMs = 1000 }.ToByteArray()),
        ("Write", new WriteRequest { TxnId = "t", AgentId = "a", Key = "k", Value = Struct.Parser.ParseJson("{\"a\":[1,null,{\"b\":\"ü\"}]}") }.ToByteArray()),
        ("Delete", new DeleteRequest { TxnId = "t", AgentId = "a", Key = "k" }.ToByteArray()),
        ("Commit", new CommitRequest { TxnId = "t" }.ToByteArray()),
        ("Abort", new AbortRequest { TxnId = "t" }.ToByteArray()),
        ("GetState", new GetStateRequest { AgentId = "watch", Namespace = "watch", Key = "k" }.ToByteArray()),
        ("GetStateAtVersion", new GetStateAtVersionRequest { AgentId = "watch", Namespace = "watch", Key = "k", Version = 1 }.ToByteArray()),
        ("ListKeys", new ListKeysRequest { AgentId = "watch", Namespace = "watch" }.ToByteArray()),
        ("ScanPrefix", new ScanPrefixRequest { AgentId = "watch", Namespace = "watch", Prefix = "k" }.ToByteArray()),
        ("Replay", new ReplayRequest { AgentId = "watch", Namespace = "watch" }.ToByteArray()),
        ("NoSuchMethod", []),
    ];

    private static readonly string[] Timeouts = ["1n", "0S", "99999999H", "-1S", "1", "", "9999999999S", "1S1S", "\u00ff"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_comes_over_a_connection_the_server_lives_and_answers_in_whole_frames()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        await server.ExpectServiceAsync();
        int answered = 0;
        var run = new FuzzRun();
        await run.RunAsync(Workers, async (random, number) =>
        {
            if ((await ExchangeAsync(server, Make(random, number))).AsSpan().IndexOf("grpc-status"u8) >= 0)
                Interlocked.Increment(ref answered);
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{answered} connections got a status");
        Assert.InRange(answered, run.Cases / 20, int.MaxValue);
        await server.ExpectServiceAsync();
        server.ExpectNoErrorLogged();
        server.ExpectPeakBelow(PeakBytesMax);
    }

    private static byte[] Make(Random random, int number)
    {
        (string method, byte[] message) = Calls[number % Calls.Length];
        byte[] other = Calls[random.Next(Calls.Length)].Message;
        byte[] call = random.Next(8) switch
        {
            0 => H2Bytes.Call(1, method, message),
            1 => H2Bytes.Call(1, method, ByteMutator.Mutate(random, message, other)),
            2 => H2Bytes.Call(1, method, message, ("grpc-timeout", Timeouts[random.Next(Timeouts.Length)])),
            3 => H2Bytes.Call(1, method, message, ("x-large", new string('a', random.Next(40_000)))),
            4 => [.. Enumerable.Range(0, 200).SelectMany(i => (byte[])[.. H2Bytes.Call((2 * i) + 1, method, message), .. H2Bytes.Frame(H2Bytes.ResetStream, 0, (2 * i) + 1, [0, 0, 0, 8])])],
            5 => [.. H2Bytes.Call(1, method, message), .. H2Bytes.Frame(H2Bytes.Data, 0, random.Next(4), message), .. H2Bytes.Call(3, method, other)],
            6 => H2Bytes.Frame((byte)random.Next(256), (byte)random.Next(256), random.Next(5), ByteMutator.Mutate(random, message, other)),
            _ => ByteMutator.Mutate(random, H2Bytes.Call(1, method, message), H2Bytes.Call(3, method, other)),
        };
        byte[] all = [.. H2Bytes.Start(), .. call];
        return random.Next(10) == 0 ? ByteMutator.Mutate(random, all, call) : all;
    }

    private static async Task<byte[]> ExchangeAsync(ServerProcess server, byte[] bytes)
    {
        using var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(System.Net.IPEndPoint.Parse(server.GrpcAddress), Cancelled);
        NetworkStream stream = tcp.GetStream();
        using var came = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        try
        {
            await stream.WriteAsync(bytes, Cancelled);
            int read;
            while ((read = await stream.ReadAsync(buffer, Cancelled).AsTask().WaitAsync(Silence, Cancelled)) > 0)
                came.Write(buffer, 0, read);
        }
        catch (TimeoutException)
        {
            // It has nothing more to say, and waits for more.
        }
        catch (IOException)
        {
            // Closed the hard way, as it may on what is no HTTP/2. A reset may cut what was on its way.
            return came.ToArray();
        }
        byte[] all = came.ToArray();
        bool isPlainRefusal = all.AsSpan().StartsWith("HTTP/1.1 400"u8);
        Assert.True(isPlainRefusal || H2Bytes.AreFrames(all), $"Sent {Convert.ToHexString(bytes)}\ncame {Convert.ToHexString(all)}");
        return all;
    }
}

using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Statehouse.FrontDoors.Tests.Fuzzing;
using Statehouse.FrontDoors.Tests.Grpc;
using Statehouse.Testing;

namespace Statehouse.FrontDoors.Tests.Load;

/// <summary>Clients that hold on to what they have: the others are served, and the slow ones are let go.</summary>
public sealed class SlowClientsTests : IAsyncLifetime
{
    private const int IdleWanted = 3000;
    private const long PeakBytesMax = 600L << 20;

    /// <summary>
    /// Headers must come within 30 s, bodies at 240 bytes/s after 5 s (gRPC: 20 s); where no whole frame comes, a ping after 30 s must be
    /// answered within 20 s; and what a busy machine adds.
    /// </summary>
    private static readonly TimeSpan CloseBound = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan DripDelay = TimeSpan.FromMilliseconds(500);

    private readonly ServerProcess _server = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _server.StartAsync(Cancelled);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Clients_that_send_byte_by_byte_are_closed_while_thousands_idle_and_others_are_served()
    {
        await _server.ExpectServiceAsync();
        int count = Math.Min(IdleWanted, RawClient.ConnectionsMax);
        var idle = new List<RawClient>();
        for (int i = 0; i < count; i++)
            idle.Add(await RawClient.ConnectAsync(i % 4 == 0 ? _server.GrpcAddress : _server.Address, Cancelled));
        Task[] slow =
        [
            .. Enumerable.Range(0, 20).Select(_ => DripAsync(_server.Address, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")),
            .. Enumerable.Range(0, 20).Select(_ => DripAsync(_server.Address, "PUT /v1/namespaces/n/agents/a/state/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n\"")),
            .. Enumerable.Range(0, 20).Select(_ => DripAsync(_server.GrpcAddress, "PRI * HTTP/2.0\r\n")),
            .. Http2Beginnings().SelectMany(each => Enumerable.Range(0, 10).Select(_ => DripAsync(_server.GrpcAddress, each.Beginning, each.Drop))),
        ];
        long started = Stopwatch.GetTimestamp();
        while (!Task.WhenAll(slow).IsCompleted)
        {
            await _server.ExpectServiceAsync();
            await Task.Delay(DripDelay, Cancelled);
            Assert.True(Stopwatch.GetElapsedTime(started) < CloseBound, $"{slow.Count(each => !each.IsCompleted)} slow clients were still connected.");
        }
        await Task.WhenAll(slow);
        idle.ForEach(client => client.Dispose());
        await _server.ExpectServiceAsync();
        _server.ExpectNoErrorLogged();
        _server.ExpectPeakBelow(PeakBytesMax);
    }

    [Theory]
    [InlineData("a target of 1 MB", 414)]
    [InlineData("a header of 1 MB", 431)]
    [InlineData("10,000 headers", 431)]
    public async Task What_is_too_much_for_a_head_is_refused_while_it_comes(string what, int status)
    {
        using RawClient client = await RawClient.ConnectAsync(_server.Address, Cancelled);
        string head = what switch
        {
            "a target of 1 MB" => "GET /" + new string('a', 1_000_000),
            "a header of 1 MB" => "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + new string('a', 1_000_000),
            _ => "GET /healthz HTTP/1.1\r\nHost: x\r\n" + string.Concat(Enumerable.Range(0, 10_000).Select(i => $"X-{i}: 1\r\n")),
        };
        Task<Http.WireReply?> reply = client.ReadReplyAsync(Cancelled);
        try
        {
            await client.SendAsync(head, Cancelled);
        }
        catch (SocketException)
        {
            // Closed before it was all sent.
        }
        // A reset may overtake the reply: then the connection is closed, and that is all that there is to see.
        Assert.True((await reply.WaitAsync(CloseBound, Cancelled))?.Status is null || (await reply)!.Status == status);
        await _server.ExpectServiceAsync();
        _server.ExpectNoErrorLogged();
    }

    /// <summary>Sound beginnings of a connection, and what is sent of the rest at a time, which never ends.</summary>
    private static IEnumerable<(byte[] Beginning, byte[] Drop)> Http2Beginnings()
    {
        const int RestBytes = 16_000;
        byte[] start = H2Bytes.Start();
        byte[] open = [.. start, .. H2Bytes.OpenCall(1, "Write", endsHeaders: true)];
        byte[] prefix = [0, 0, 0, RestBytes >> 8, RestBytes & 0xFF];
        byte[] one = "x"u8.ToArray();
        yield return (start, []);
        yield return ([.. start, .. H2Bytes.FrameHeader(H2Bytes.Headers, 0, 1, RestBytes)], one);
        yield return ([.. start, .. H2Bytes.OpenCall(1, "Write", endsHeaders: false), .. H2Bytes.FrameHeader(H2Bytes.Continuation, 0, 1, RestBytes)], one);
        yield return ([.. start, .. H2Bytes.OpenCall(1, "Write", endsHeaders: false)], H2Bytes.Frame(H2Bytes.Continuation, 0, 1, []));
        yield return (open, []);
        yield return ([.. open, .. H2Bytes.FrameHeader(H2Bytes.Data, 0, 1, RestBytes), .. prefix], one);
        yield return ([.. open, .. H2Bytes.Frame(H2Bytes.Data, 0, 1, prefix)], H2Bytes.Frame(H2Bytes.Data, 0, 1, one));
    }

    private static Task DripAsync(string address, string beginning) => DripAsync(address, Encoding.ASCII.GetBytes(beginning), "x"u8.ToArray());

    /// <summary>Sends a beginning, then a byte now and then, until the server closes.</summary>
    private static async Task DripAsync(string address, byte[] beginning, byte[] drop)
    {
        using RawClient client = await RawClient.ConnectAsync(address, Cancelled);
        await client.SendAsync(beginning, Cancelled);
        Task closed = client.WaitForCloseAsync(Cancelled);
        while (!closed.IsCompleted)
        {
            await Task.WhenAny(closed, Task.Delay(DripDelay, Cancelled));
            try
            {
                await client.SendAsync(drop, Cancelled);
            }
            catch (SocketException)
            {
                return;
            }
        }
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;
using Statehouse.Bench.Load;
using Statehouse.Bench.Peers;
using Xunit;

namespace Statehouse.Bench.Tests;

/// <summary>The clients of servers that are not on every machine, against one that says what it is told to.</summary>
public sealed class PeerClientTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public PeerClientTests() => _listener.Start();

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData("+OK\r\n", "OK")]
    [InlineData(":17\r\n", "17")]
    [InlineData("$7\r\na\r\nb\r\nc\r\n", "a\r\nb\r\nc")]
    [InlineData("$-1\r\n", "")]
    [InlineData("*2\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n", "yes")]
    public async Task A_reply_of_Redis_is_read_however_the_network_cuts_it(string reply, string wanted)
    {
        foreach (int piece in (int[])[1, 2, 1000])
        {
            Task<string> asked = AnswerAsync("*3\r\n$3\r\nSET\r\n$2\r\nä\r\n$1\r\n1\r\n", reply, piece);
            using var redis = new RespConnection(Address);
            Assert.Equal(wanted, Encoding.UTF8.GetString(redis.Send(["SET", "ä"], "1"u8)));
            Assert.Equal("*3\r\n$3\r\nSET\r\n$2\r\nä\r\n$1\r\n1\r\n", await asked);
        }
    }

    [Fact]
    public async Task An_error_of_Redis_is_an_exception_that_says_it()
    {
        Task<string> asked = AnswerAsync("*1\r\n$4\r\nPING\r\n", "-LOADING not yet\r\n", 1000);
        using var redis = new RespConnection(Address);
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => { redis.Send(["PING"]); });
        Assert.Contains("LOADING not yet", error.Message, StringComparison.Ordinal);
        await asked;
    }

    [Theory]
    [InlineData("Content-Length")]
    [InlineData("content-length")]
    public async Task A_reply_over_HTTP_may_name_its_length_in_small_letters(string name)
    {
        const string Request = "POST /x HTTP/1.1\r\nHost: bench\r\nAccept: a/b\r\nContent-Length: 2\r\n\r\nhi";
        Task<string> asked = AnswerAsync(Request, $"HTTP/1.1 201 Created\r\nvary: *\r\n{name}: 5\r\n\r\nthere", 3);
        using var http = new BlockingHttpClient(Address, "Accept: a/b\r\n");
        Assert.Equal(201, http.Send("POST /x", "hi"u8, out ReadOnlySpan<byte> reply));
        Assert.Equal("there", Encoding.ASCII.GetString(reply));
        Assert.Equal(Request, await asked);
    }

    private IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Takes one connection, reads what is as long as the request, and answers in pieces.</summary>
    /// <returns>What it read.</returns>
    private Task<string> AnswerAsync(string request, string reply, int piece) => Task.Run(async () =>
    {
        CancellationToken ending = TestContext.Current.CancellationToken;
        using TcpClient client = await _listener.AcceptTcpClientAsync(ending);
        client.NoDelay = true;
        byte[] asked = new byte[Encoding.UTF8.GetByteCount(request)];
        await client.GetStream().ReadExactlyAsync(asked, ending);
        foreach (byte[] part in Encoding.UTF8.GetBytes(reply).Chunk(piece))
            await client.GetStream().WriteAsync(part, ending);
        return Encoding.UTF8.GetString(asked);
    });
}

using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Statehouse.Gateway.Tests.Hosting;

/// <summary>A connection whose bytes a test writes itself: for what no well-behaved client sends.</summary>
internal sealed class RawHttp : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly TcpClient _tcp;
    private readonly NetworkStream _stream;

    private RawHttp(TcpClient tcp)
    {
        _tcp = tcp;
        _stream = tcp.GetStream();
    }

    public static async Task<RawHttp> ConnectAsync(Uri address)
    {
        var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        return new RawHttp(tcp);
    }

    /// <summary>One request with <c>Connection: close</c>, and its answer.</summary>
    /// <param name="address">Of the server.</param>
    /// <param name="request">Request line, headers but Host, an empty line, the body; lines end as in the source.</param>
    public static async Task<RawReply> ExchangeAsync(Uri address, string request)
    {
        await using RawHttp raw = await ConnectAsync(address);
        int firstLine = request.IndexOf('\n', StringComparison.Ordinal);
        await raw.SendAsync(request[..firstLine] + "\nHost: " + address.Authority + "\nConnection: close" + request[firstLine..]);
        return await raw.ReadReplyAsync();
    }

    /// <summary>Sends text as UTF-8 whose line breaks become CRLF.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\r\n")));

    /// <exception cref="IOException">The server has closed the connection.</exception>
    public async Task SendAsync(byte[] bytes) => await _stream.WriteAsync(bytes, TestContext.Current.CancellationToken);

    /// <summary>For a request that says <c>Expect: 100-continue</c>: the server has taken it and waits for its body.</summary>
    public async Task WaitForContinueAsync()
    {
        const string Expected = "HTTP/1.1 100 Continue\r\n\r\n";
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bounded.CancelAfter(Bound);
        byte[] answer = new byte[Expected.Length];
        await _stream.ReadExactlyAsync(answer, bounded.Token);
        Assert.Equal(Expected, Encoding.ASCII.GetString(answer));
    }

    /// <summary>All that comes until the server closes.</summary>
    public async Task<RawReply> ReadReplyAsync()
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bounded.CancelAfter(Bound);
        using var all = new MemoryStream();
        try
        {
            await _stream.CopyToAsync(all, bounded.Token);
        }
        catch (IOException) when (all.Length > 0)
        {
            // Closed while we were still sending: the answer came before that.
        }
        return RawReply.Parse(Encoding.UTF8.GetString(all.ToArray()));
    }

    public ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>An answer as text.</summary>
/// <param name="Status">HTTP's.</param>
/// <param name="Head">Status line and headers.</param>
/// <param name="Body">The rest, as it came.</param>
internal sealed record RawReply(int Status, string Head, string Body)
{
    public static RawReply Parse(string text)
    {
        string[] parts = text.Split("\r\n\r\n", 2);
        Assert.True(parts.Length == 2, $"no answer but: {text}");
        return new RawReply(int.Parse(parts[0].Split(' ')[1], CultureInfo.InvariantCulture), parts[0], parts[1]);
    }

    public void ExpectProblem(int status, string code)
    {
        Assert.True(Status == status, $"expected {status}, got {Head}\n{Body}");
        Assert.Contains($"\"code\":\"{code}\"", Body, StringComparison.Ordinal);
        Assert.Contains("application/problem+json", Head, StringComparison.Ordinal);
    }
}

using System.Diagnostics;

namespace Statehouse.Grpc.Tests;

/// <summary>One large message, and clients that take it piece by piece or not at all: it is held whole until they have.</summary>
public sealed class LargeReplyTests : IAsyncLifetime
{
    private const int Keys = 8;
    private const int FillBytes = 1_000_000;
    private const long CancelErrorCode = 0x8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly RunningServer _server = new() { PiecePatience = Patience };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _server.InitializeAsync();
        for (int i = 0; i < Keys; i++)
            await _server.PutAsync("large", $"k{i}", FillBytes);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_reply_that_nobody_takes_is_reset_when_a_piece_has_waited_too_long_and_the_connection_serves_on()
    {
        using HttpResponseMessage reply = await ScanAsync();
        await using Stream body = await reply.Content.ReadAsStreamAsync(Cancelled);

        await Task.Delay(2 * Patience, Cancelled);

        Exception? error = await Record.ExceptionAsync(() => body.CopyToAsync(Stream.Null, Cancelled));
        while (error is not null and not HttpProtocolException)
            error = error.InnerException;
        Assert.Equal(CancelErrorCode, Assert.IsType<HttpProtocolException>(error).ErrorCode);
        await _server.PutAsync("other", "k", 10);
    }

    [Fact]
    public async Task A_reply_that_is_taken_slowly_arrives_whole_however_long_all_of_it_takes()
    {
        long started = Stopwatch.GetTimestamp();
        using HttpResponseMessage reply = await ScanAsync();
        await using Stream body = await reply.Content.ReadAsStreamAsync(Cancelled);
        byte[] piece = new byte[64 * 1024];
        long length = 0;
        int read;
        while ((read = await body.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, Cancelled)) > 0)
        {
            length += read;
            await Task.Delay(25, Cancelled);
        }

        Assert.InRange(length, Keys * FillBytes, (Keys * FillBytes) + 10_000);
        Assert.Equal(Gateway.GrpcStatus.Ok, RunningServer.StatusOf(reply));
        // Else it would have proved nothing.
        Assert.InRange(Stopwatch.GetElapsedTime(started), Patience, TimeSpan.MaxValue);
    }

    private Task<HttpResponseMessage> ScanAsync()
    {
        byte[] request = RunningServer.Frame(new V1.ScanPrefixRequest { AgentId = "large", Prefix = "k" });
        return _server.Http.SendAsync(
            RunningServer.Request("ScanPrefix", new ByteArrayContent(request)), HttpCompletionOption.ResponseHeadersRead, Cancelled);
    }
}

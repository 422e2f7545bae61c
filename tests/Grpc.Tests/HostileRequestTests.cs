using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Statehouse.Gateway;

namespace Statehouse.Grpc.Tests;

/// <summary>Requests that no library would send.</summary>
public sealed class HostileRequestTests(RunningServer server) : IClassFixture<RunningServer>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, "UNIMPLEMENTED", "compressed")]
    [InlineData(2, "INTERNAL", "flag")]
    public async Task A_compressed_flag_that_is_set_is_refused(byte flag, string expected, string told)
    {
        (GrpcStatus status, string message, _) = await server.CallAsync("Version", RunningServer.Frame([], flag));
        Assert.Equal(expected, status.Text());
        Assert.Contains(told, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1, 2 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 7 })]
    public async Task A_request_that_is_not_exactly_one_whole_message_is_INTERNAL(byte[] body)
    {
        Assert.Equal(GrpcStatus.Internal, (await server.CallAsync("Version", body)).Status);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0x80, 0, 1 })]
    [InlineData(new byte[] { 0, 0xFF, 0xFF, 0xFF, 0xFF })]
    public async Task A_length_beyond_the_limit_is_RESOURCE_EXHAUSTED_before_its_bytes_come(byte[] prefix)
    {
        (GrpcStatus status, string message, _) = await server.CallAsync("Version", prefix);
        Assert.Equal(GrpcStatus.ResourceExhausted, status);
        Assert.Contains("8388608", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_of_exactly_the_limit_is_read()
    {
        // Field 100, which nobody knows, of 8 MiB less its own tag and length.
        byte[] message = [0xA2, 0x06, 0xFA, 0xFF, 0xFF, 0x03, .. new byte[(8 << 20) - 6]];
        Assert.Equal(GrpcStatus.Ok, (await server.CallAsync("Version", RunningServer.Frame(message))).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("S")]
    [InlineData("-1S")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    [InlineData("1s")]
    public async Task A_timeout_that_is_none_is_INVALID_ARGUMENT(string timeout)
    {
        (GrpcStatus status, string message, _) = await server.CallAsync("Version", RunningServer.Frame([]), timeout);
        Assert.Equal(GrpcStatus.InvalidArgument, status);
        Assert.Contains("grpc-timeout", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0n", "DEADLINE_EXCEEDED")]
    [InlineData("99999999H", "OK")]
    [InlineData("30S", "OK")]
    public async Task A_timeout_holds(string timeout, string expected) =>
        Assert.Equal(expected, (await server.CallAsync("Version", RunningServer.Frame([]), timeout)).Status.Text());

    [Fact]
    public async Task A_message_that_never_comes_whole_ends_at_the_deadline()
    {
        using var half = new UnfinishedContent([0, 0, 0, 0, 9, 1]);
        using HttpResponseMessage response = await server.Http.SendAsync(
            RunningServer.Request("Version", half, "300m"), HttpCompletionOption.ResponseHeadersRead, Cancelled);
        Assert.Equal(GrpcStatus.DeadlineExceeded, RunningServer.StatusOf(response));
        half.Finish();
    }

    [Theory]
    [InlineData("application/json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpc-web", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpc+proto", HttpStatusCode.OK)]
    public async Task Only_grpc_is_spoken_here(string contentType, HttpStatusCode expected)
    {
        using HttpRequestMessage request = RunningServer.Request("Version", new ByteArrayContent(RunningServer.Frame([])));
        request.Content!.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        using HttpResponseMessage response = await server.Http.SendAsync(request, Cancelled);
        Assert.Equal(expected, response.StatusCode);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("\0\u0001garbage garbage garbage garbage garbage\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is no frame at all, and far too long to be taken for one")]
    public async Task Garbage_on_the_port_closes_its_connection_and_no_other(string garbage)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Address, Cancelled);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(garbage), Cancelled);
        await DrainAsync(stream).WaitAsync(TimeSpan.FromSeconds(30), Cancelled);
        Assert.Equal(GrpcStatus.Ok, (await server.CallAsync("Version", RunningServer.Frame([]))).Status);
    }

    [Fact]
    public async Task A_name_that_is_no_UTF8_is_refused_and_never_mended()
    {
        byte[] broken = RunningServer.Frame([0x12, 2, (byte)'a', 0xFF, 0x1A, 1, (byte)'k']);
        (GrpcStatus status, string message, _) = await server.CallAsync("GetState", broken);
        Assert.Equal(GrpcStatus.InvalidArgument, status);
        Assert.Contains("agent_id", message, StringComparison.Ordinal);
    }

    /// <summary>Reads until the server closes.</summary>
    private static async Task DrainAsync(NetworkStream stream)
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, Cancelled) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset is a way of closing too.
        }
    }
}

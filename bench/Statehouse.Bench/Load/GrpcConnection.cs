using System.Net;
using System.Net.Http.Headers;

namespace Statehouse.Bench.Load;

/// <summary>A connection for many calls at once and for streams, by the framework's HTTP/2 client.</summary>
internal sealed class GrpcConnection : IDisposable
{
    private const int PrefixBytes = 5;
    private static readonly MediaTypeHeaderValue Grpc = new("application/grpc");

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = false });
    private readonly Uri _service;

    public GrpcConnection(string address) => _service = new Uri($"http://{address}/statehouse.v1.StatehouseService/");

    /// <summary>One call; returns the reply's message, or throws what the server said.</summary>
    public async Task<byte[]> CallAsync(string method, byte[] message)
    {
        using HttpResponseMessage response = await SendAsync(method, message);
        byte[] framed = await response.Content.ReadAsByteArrayAsync();
        ThrowIfFailed(response);
        return framed[PrefixBytes..];
    }

    /// <summary>Reads a stream's messages and counts them.</summary>
    public async Task<long> CountAsync(string method, byte[] message)
    {
        using HttpResponseMessage response = await SendAsync(method, message);
        await using Stream body = await response.Content.ReadAsStreamAsync();
        long count = FrameCounter.Count(body);
        ThrowIfFailed(response);
        return count;
    }

    public void Dispose() => _http.Dispose();

    private Task<HttpResponseMessage> SendAsync(string method, byte[] message)
    {
        byte[] framed = new byte[PrefixBytes + message.Length];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed, PrefixBytes);
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_service, method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(framed) { Headers = { ContentType = Grpc } },
        };
        return _http.SendAsync(request, CancellationToken.None);
    }

    private static void ThrowIfFailed(HttpResponseMessage response)
    {
        if (!response.TrailingHeaders.TryGetValues("grpc-status", out IEnumerable<string>? status) && !response.Headers.TryGetValues("grpc-status", out status))
            throw new HttpRequestException("The reply has no grpc-status.");
        if (status.Single() != "0")
            throw new HttpRequestException($"grpc-status {status.Single()}: {response}");
    }
}

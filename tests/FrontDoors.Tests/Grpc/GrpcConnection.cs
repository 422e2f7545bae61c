using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Statehouse.Gateway;
using Statehouse.Testing;
using Statehouse.V1;

namespace Statehouse.FrontDoors.Tests.Grpc;

/// <summary>How a call ended.</summary>
/// <param name="Status">The gRPC status.</param>
/// <param name="Code">For instance <c>SH-2003</c>; empty where the status is OK.</param>
/// <param name="Message">The only message of the reply; empty where there is none.</param>
internal sealed record GrpcReply(GrpcStatus Status, string Code, byte[] Message)
{
    public override string ToString() => Code.Length == 0 ? Status.ToString() : $"{Status} {Code}";
}

/// <summary>One HTTP/2 connection, all calls on it; what it is answered is held against the protocol.</summary>
internal sealed class GrpcConnection : IDisposable
{
    public const int PrefixBytes = 5;

    private const int StreamWindowBytes = 65_535;

    private readonly HttpClient _http;

    public GrpcConnection(ServerProcess server)
    {
        var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = false, InitialHttp2StreamWindowSize = StreamWindowBytes };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://" + server.GrpcAddress), Timeout = Timeout.InfiniteTimeSpan };
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _http.Dispose();

    /// <summary>Returns when the reply's headers have come; its messages are read from its content.</summary>
    public Task<HttpResponseMessage> StartAsync(string method, IMessage message)
    {
        byte[] framed = new byte[PrefixBytes + message.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), framed.Length - PrefixBytes);
        message.WriteTo(framed.AsSpan(PrefixBytes));
        var request = new HttpRequestMessage(HttpMethod.Post, "/statehouse.v1.StatehouseService/" + method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(framed) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
    }

    /// <exception cref="FormatException">The reply is none of gRPC.</exception>
    public async Task<GrpcReply> CallAsync(string method, IMessage message)
    {
        using HttpResponseMessage response = await StartAsync(method, message);
        byte[] body = await response.Content.ReadAsByteArrayAsync(Cancelled);
        return ReplyOf(response, body);
    }

    /// <summary>The end of a reply that has been read.</summary>
    /// <param name="response">It.</param>
    /// <param name="body">All of it.</param>
    /// <exception cref="FormatException">The reply is none of gRPC.</exception>
    public static GrpcReply ReplyOf(HttpResponseMessage response, byte[] body)
    {
        if (response.StatusCode != HttpStatusCode.OK || response.Content.Headers.ContentType?.MediaType != "application/grpc")
            throw new FormatException($"HTTP status {response.StatusCode} of type {response.Content.Headers.ContentType}.");
        if (!Enum.TryParse(Header(response, "grpc-status"), out GrpcStatus status) || !Enum.IsDefined(status))
            throw new FormatException($"A grpc-status of '{Header(response, "grpc-status")}'.");
        if (status == GrpcStatus.Ok)
            return new GrpcReply(status, "", body.Length > 0 ? body[PrefixBytes..] : []);
        if (Header(response, "grpc-message") is not { Length: > 0 } || Header(response, "statehouse-error-bin") is not { } packed)
            throw new FormatException($"{status} without a message or its error.");
        var error = StatehouseError.Parser.ParseFrom(Convert.FromBase64String(packed.PadRight((packed.Length + 3) / 4 * 4, '=')));
        return new GrpcReply(status, error.Details["sh_code"], []);
    }

    /// <summary>How many bytes the message behind a prefix has.</summary>
    public static int LengthOf(ReadOnlySpan<byte> prefix) => prefix[0] == 0
        ? BinaryPrimitives.ReadInt32BigEndian(prefix[1..])
        : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"A message that begins with {prefix[0]}."));

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) || response.TrailingHeaders.TryGetValues(name, out values)
            ? values.Single()
            : null;
}

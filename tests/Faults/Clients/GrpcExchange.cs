using System.Buffers.Binary;
using System.Net;
using Google.Protobuf;
using Statehouse.V1;

namespace Statehouse.Faults.Clients;

/// <summary>Calls of statehouse.v1 over HTTP/2 without TLS, each sent once.</summary>
/// <param name="address">For instance <c>127.0.0.1:50051</c>.</param>
internal sealed class GrpcExchange(string address) : IDisposable
{
    private const int PrefixBytes = 5;

    private readonly HttpMessageInvoker _http = new(HttpExchange.NewHandler());

    /// <summary>A call with one message each way.</summary>
    public async Task<GrpcReply<T>> CallAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        using HttpRequestMessage message = Request(method, request);
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(message, cancellationToken);
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (FailureOf(response) is { } failure)
                return new GrpcReply<T>(null, failure);
            if (body.Length < PrefixBytes)
                return new GrpcReply<T>(null, new CallFailure(CallFailure.BrokenReply, true, "The status is OK, but there is no message."));
            return new GrpcReply<T>(parser.ParseFrom(body, PrefixBytes, body.Length - PrefixBytes), null);
        }
        catch (Exception error) when (CallFailure.IsBrokenReply(error))
        {
            return new GrpcReply<T>(null, CallFailure.OfBrokenReply(error));
        }
        catch (Exception error) when (CallFailure.IsTransport(error))
        {
            return new GrpcReply<T>(null, CallFailure.OfTransport(error, ((OnceContent)message.Content!).HasStarted));
        }
    }

    /// <summary>A call that answers with a stream of messages, all of which are waited for.</summary>
    public async Task<GrpcReply<IReadOnlyList<T>>> ReadAllAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        using HttpRequestMessage message = Request(method, request);
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(message, cancellationToken);
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (FailureOf(response) is { } failure)
                return new GrpcReply<IReadOnlyList<T>>(null, failure);
            return new GrpcReply<IReadOnlyList<T>>([.. Messages(body).Select(bytes => parser.ParseFrom(bytes.Span))], null);
        }
        catch (Exception error) when (CallFailure.IsBrokenReply(error))
        {
            return new GrpcReply<IReadOnlyList<T>>(null, CallFailure.OfBrokenReply(error));
        }
        catch (Exception error) when (CallFailure.IsTransport(error))
        {
            return new GrpcReply<IReadOnlyList<T>>(null, CallFailure.OfTransport(error, ((OnceContent)message.Content!).HasStarted));
        }
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(string method, IMessage request)
    {
        byte[] framed = new byte[PrefixBytes + request.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), framed.Length - PrefixBytes);
        request.WriteTo(framed.AsSpan(PrefixBytes));
        return new HttpRequestMessage(HttpMethod.Post, $"http://{address}/statehouse.v1.StatehouseService/{method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new OnceContent(framed, "application/grpc"),
            Headers = { { "te", "trailers" } },
        };
    }

    private static CallFailure? FailureOf(HttpResponseMessage response)
    {
        if (Header(response, "grpc-status") is not { } status)
            return new CallFailure($"http-{(int)response.StatusCode}", true, "The reply has no grpc-status.");
        if (status == "0")
            return null;
        string message = Uri.UnescapeDataString(Header(response, "grpc-message") ?? "");
        // Without a code of ours a status is a proxy's, a deadline's or a stopping server's word: no promise.
        return ShCode(response) is { } code ? CallFailure.OfCode(code, message) : new CallFailure($"grpc-{status}", true, message);
    }

    private static string? ShCode(HttpResponseMessage response)
    {
        if (Header(response, "statehouse-error-bin") is not { } encoded)
            return null;
        byte[] bytes = Convert.FromBase64String(encoded.PadRight((encoded.Length + 3) / 4 * 4, '='));
        return StatehouseError.Parser.ParseFrom(bytes).Details.TryGetValue("sh_code", out string? code) ? code : null;
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out IEnumerable<string>? values) || response.Headers.TryGetValues(name, out values)
            ? values.FirstOrDefault()
            : null;

    private static IEnumerable<ReadOnlyMemory<byte>> Messages(byte[] body)
    {
        int at = 0;
        while (at < body.Length)
        {
            int length = at + PrefixBytes <= body.Length ? BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(at + 1)) : -1;
            if (length < 0 || length > body.Length - at - PrefixBytes)
                throw new FormatException($"The message at byte {at} of {body.Length} is longer than the reply.");
            yield return body.AsMemory(at + PrefixBytes, length);
            at += PrefixBytes + length;
        }
    }
}

/// <param name="Message">Null where it failed.</param>
/// <param name="Failure">Null where the status is OK.</param>
internal sealed record GrpcReply<T>(T? Message, CallFailure? Failure)
    where T : class;

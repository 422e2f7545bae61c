using System.Net;

namespace Statehouse.Faults.Clients;

/// <summary>Sends each request once, on connections of its own, and says what came of it.</summary>
/// <param name="address">For instance <c>127.0.0.1:8080</c>.</param>
internal sealed class HttpExchange(string address) : IDisposable
{
    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HttpMessageInvoker _http = new(NewHandler());

    /// <summary>A handler that adds nothing of its own: no proxy, redirect, cookie or trace header.</summary>
    public static SocketsHttpHandler NewHandler() => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ActivityHeadersPropagator = null,
    };

    /// <param name="segment">Of a path: percent-encoded on its own.</param>
    public static string Escaped(string segment) => Uri.EscapeDataString(segment);

    public Task<HttpReply> GetAsync(string target, CancellationToken cancellationToken) =>
        ReadReplyAsync(Request(HttpMethod.Get, target), cancellationToken);

    public Task<HttpReply> DeleteAsync(string target, CancellationToken cancellationToken) =>
        ReadReplyAsync(Request(HttpMethod.Delete, target), cancellationToken);

    public Task<HttpReply> PostAsync(string target, byte[] json, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = Request(HttpMethod.Post, target);
        request.Content = new OnceContent(json, "application/json");
        return ReadReplyAsync(request, cancellationToken);
    }

    /// <summary>A reply whose body is still to be read, for as long as it takes.</summary>
    /// <exception cref="Exception">As <see cref="CallFailure.IsTransport"/> knows them.</exception>
    public Task<HttpResponseMessage> StreamAsync(string target, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = Request(HttpMethod.Get, target);
        request.Headers.Accept.ParseAdd("text/event-stream");
        return _http.SendAsync(request, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(HttpMethod method, string target) =>
        new(method, new Uri($"http://{address}{target}", AsWritten)) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    private async Task<HttpReply> ReadReplyAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            try
            {
                using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken);
                byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
                bool isReplayed = response.Headers.TryGetValues("Idempotent-Replayed", out IEnumerable<string>? values) && values.Contains("true");
                return HttpReply.Of((int)response.StatusCode, body, isReplayed);
            }
            catch (Exception error) when (CallFailure.IsTransport(error))
            {
                // A request without a body only reads or aborts: its outcome is unknown wherever it broke.
                bool wasSent = request.Content is not OnceContent content || content.HasStarted;
                return HttpReply.Broken(CallFailure.OfTransport(error, wasSent));
            }
        }
    }
}

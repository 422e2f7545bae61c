using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Statehouse.Cli;

/// <summary>Requests to one server. Errors come as <see cref="ServerProblem"/> or <see cref="UnreachableFailure"/>, nothing else.</summary>
/// <param name="server">Where it listens, without a slash at the end.</param>
internal sealed class StatehouseApi(string server) : IDisposable
{
    private const int ProblemBytesMax = 64 * 1024;

    private static readonly TimeSpan ConnectBound = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = ConnectBound, AllowAutoRedirect = false })
    {
        // An answer may stream for hours; what is bounded is each wait for its next piece.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>How long the server may be silent before it counts as gone. Its event streams beat every 15 s.</summary>
    public static TimeSpan SilenceBound { get; } = TimeSpan.FromSeconds(60);

    public string Server { get; } = server;

    /// <summary>An answer read whole: for what is small.</summary>
    /// <returns>Its body, as it came.</returns>
    public async Task<byte[]> GetAsync(string path, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = Request(HttpMethod.Get, path);
        return await ReadWholeAsync(request, cancellationToken);
    }

    /// <summary>Sends a request with a body or headers of its own.</summary>
    public async Task<byte[]> SendAsync(
        HttpMethod method, string path, byte[]? json, IEnumerable<(string Name, string Value)> headers, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = Request(method, path);
        if (json is not null)
            request.Content = new ByteArrayContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        foreach ((string name, string value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
                throw CommandFailure.Usage($"{name} cannot be '{value}'.");
        }
        return await ReadWholeAsync(request, cancellationToken);
    }

    /// <summary>Items of a paged list, page after page, each item as its own JSON text: flat memory however long the list.</summary>
    /// <param name="pathOf">The path of a page, from what stood beside the items of the one before; from null for the first.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <remarks>An item's memory holds until the next one is asked for.</remarks>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadPagesAsync(
        Func<PageEnd?, string> pathOf, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        PageEnd? end = null;
        do
        {
            using HttpRequestMessage request = Request(HttpMethod.Get, pathOf(end));
            using HttpResponseMessage response = await AnswerAsync(request, cancellationToken);
            await using Stream body = await BodyAsync(response, cancellationToken);
            var page = new PageReader(body);
            await foreach (ReadOnlyMemory<byte> item in page.ItemsAsync(cancellationToken))
                yield return item;
            end = page.End;
        }
        while (end.HasMore);
    }

    /// <summary>Opens an event stream; the caller reads and disposes of it.</summary>
    public async Task<HttpResponseMessage> OpenEventsAsync(string path, string? lastEventId, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = Request(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        HttpResponseMessage response = await AnswerAsync(request, cancellationToken);
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
            return response;
        response.Dispose();
        throw CommandFailure.Refused($"{Server} does not answer with an event stream: is it a Statehouse server?");
    }

    /// <summary>A body whose every read is bounded by <see cref="SilenceBound"/>.</summary>
    public async Task<Stream> BodyAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        new BoundedReads(await response.Content.ReadAsStreamAsync(cancellationToken), Server);

    public void Dispose() => _http.Dispose();

    /// <summary>The path goes out exactly as it was encoded: without this, dots and encoded slashes would be "tidied".</summary>
    private HttpRequestMessage Request(HttpMethod method, string path) =>
        new(method, new Uri(Server + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));

    private async Task<byte[]> ReadWholeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await AnswerAsync(request, cancellationToken);
        await using Stream body = await BodyAsync(response, cancellationToken);
        using var whole = new MemoryStream();
        await body.CopyToAsync(whole, cancellationToken);
        return whole.ToArray();
    }

    private async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(SilenceBound);
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, bounded.Token);
        }
        catch (HttpRequestException error)
        {
            throw new UnreachableFailure($"cannot reach {Server}: {error.GetBaseException().Message}", error);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UnreachableFailure($"cannot reach {Server}: no answer in time", error);
        }
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await ProblemAsync(response, cancellationToken);
    }

    private async Task<ServerProblem> ProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using Stream body = await BodyAsync(response, cancellationToken);
        byte[] buffer = new byte[ProblemBytesMax];
        int length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return ParseProblem((int)response.StatusCode, buffer[..length]);
    }

    /// <summary>Reads a problem, also the one that ends an event stream.</summary>
    /// <param name="status">0 where it stands in the body alone.</param>
    /// <param name="body">Perhaps of something that is no Statehouse server.</param>
    public ServerProblem ParseProblem(int status, byte[] body)
    {
        try
        {
            using JsonDocument problem = JsonDocument.Parse(body);
            JsonElement members = problem.RootElement;
            if (members.TryGetProperty("code", out JsonElement code) && members.TryGetProperty("detail", out JsonElement detail))
                return new ServerProblem(status, code.GetString() ?? "", detail.GetString() ?? "", body);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Not ours: a proxy, or another program on that port. Its own words are the best there is to show.
        }
        string words = Printable.Cut(Printable.OneLine(Encoding.UTF8.GetString(body)), 200);
        return new ServerProblem(status, "", $"{Server} answered HTTP {status}, not as a Statehouse server does: {words}", []);
    }
}

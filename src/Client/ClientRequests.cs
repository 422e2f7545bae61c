using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Statehouse.Client;

/// <summary>One request.</summary>
/// <param name="Method">Of HTTP.</param>
/// <param name="Path">Below the server's address, percent-encoded.</param>
/// <param name="Body">JSON; null for none.</param>
/// <param name="Token">Sent as <c>Statehouse-Token</c>.</param>
/// <param name="IdempotencyKey">Drawn once per call, so that a repeat writes nothing twice.</param>
/// <param name="IsRepeatable">Doing it twice is the same as doing it once.</param>
internal sealed record ClientRequest(
    HttpMethod Method, string Path, byte[]? Body = null, long? Token = null, string? IdempotencyKey = null, bool IsRepeatable = true);

/// <summary>Sends requests, repeats what is safe to repeat, and turns problems into exceptions.</summary>
internal sealed class ClientRequests(HttpClient http, ExecutionsClientOptions options)
{
    private readonly string _server = http.BaseAddress?.AbsoluteUri.TrimEnd('/')
        ?? throw new ArgumentException("The HttpClient needs a BaseAddress: where the server listens.", nameof(http));

    /// <exception cref="StatehouseException">The last attempt's.</exception>
    public async Task<JsonElement> SendAsync(ClientRequest request, CancellationToken cancellationToken)
    {
        bool inDoubt = false;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return ClientJson.Parse(await SendOnceAsync(request, cancellationToken).ConfigureAwait(false));
            }
            catch (StatehouseException fault) when (fault.IsFault)
            {
                // What an earlier attempt may have written, a later one that could not even connect does not undo.
                fault.OutcomeUnknown = inDoubt |= fault.OutcomeUnknown;
                if (!request.IsRepeatable || attempt >= options.Attempts)
                    throw;
            }
            await Task.Delay(DelayAfter(attempt), options.Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Segments are encoded one by one, so that no id reads as two; one of dots would mean another path.</summary>
    public static string Segment(string name, string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text, name);
        return text is "." or ".." ? text.Replace(".", "%2E", StringComparison.Ordinal) : Uri.EscapeDataString(text);
    }

    /// <summary><c>?a=b&amp;c=d</c> of those that are not null.</summary>
    public static string Query(params IEnumerable<(string Name, object? Value)> parameters)
    {
        var text = new StringBuilder();
        foreach ((string name, object? value) in parameters)
        {
            if (value is null)
                continue;
            string shown = value is DateTimeOffset time ? Time(time) : Convert.ToString(value, CultureInfo.InvariantCulture)!;
            text.Append(text.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(shown));
        }
        return text.ToString();
    }

    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private async Task<byte[]> SendOnceAsync(ClientRequest request, CancellationToken cancellationToken)
    {
        using HttpRequestMessage message = Message(request);
        try
        {
            using HttpResponseMessage response = await http.SendAsync(message, cancellationToken).ConfigureAwait(false);
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return response.IsSuccessStatusCode ? body : throw Problem((int)response.StatusCode, body);
        }
        catch (HttpRequestException error)
        {
            bool neverSent = error.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError;
            throw new StatehouseException($"{request.Method} {request.Path}: {error.GetBaseException().Message}", inner: error)
            {
                OutcomeUnknown = !neverSent && request.Method != HttpMethod.Get,
            };
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StatehouseException($"{request.Method} {request.Path}: no answer within the client's timeout.", inner: error)
            {
                OutcomeUnknown = request.Method != HttpMethod.Get,
            };
        }
    }

    private HttpRequestMessage Message(ClientRequest request)
    {
        // Sent exactly as it was encoded: without this, dots and encoded slashes would be "tidied".
        var address = new Uri(_server + request.Path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var message = new HttpRequestMessage(request.Method, address);
        if (request.Body is not null)
            message.Content = new ByteArrayContent(request.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        if (request.Token is { } token)
            message.Headers.Add("Statehouse-Token", token.ToString(CultureInfo.InvariantCulture));
        if (request.IdempotencyKey is { } key)
            message.Headers.Add("Idempotency-Key", key);
        return message;
    }

    private static StatehouseException Problem(int status, byte[] body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            JsonElement problem = document.RootElement;
            if (problem.TryGetProperty("code", out JsonElement code) && problem.TryGetProperty("detail", out JsonElement detail))
                return Problem(status, code.GetString()!, detail.GetString()!, DetailsOf(problem));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Not ours: a proxy, or another program on that port.
        }
        return new StatehouseException($"HTTP {status}, not as a Statehouse server answers.", status: status) { OutcomeUnknown = status >= 500 };
    }

    private static StatehouseException Problem(int status, string code, string detail, Dictionary<string, string> details)
    {
        if (code == "SH-1001" && details.ContainsKey("token") && !details.ContainsKey("buffered_step"))
            return new StaleTokenException(detail, status, details);
        return new StatehouseException(detail, code, status, details) { OutcomeUnknown = code is "SH-2002" or "SH-9001" };
    }

    private static Dictionary<string, string> DetailsOf(JsonElement problem) =>
        problem.TryGetProperty("details", out JsonElement details) && details.ValueKind == JsonValueKind.Object
            ? details.EnumerateObject().ToDictionary(detail => detail.Name, detail => detail.Value.ToString())
            : [];

    private TimeSpan DelayAfter(int attempt)
    {
        double grown = Math.Min(options.DelayMax.TotalMilliseconds, options.Delay.TotalMilliseconds * Math.Pow(2, Math.Min(attempt - 1, 30)));
        return TimeSpan.FromMilliseconds(grown * (1 - (Random.Shared.NextDouble() / 2)));
    }
}

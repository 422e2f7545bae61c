using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Statehouse.Samples.ResumeAfterCrash;

/// <summary>The server stayed away for longer than our patience.</summary>
internal sealed class StatehouseUnavailableException(string message, Exception? inner) : Exception(message, inner);

/// <summary>
/// The two calls that the sample needs, over plain HTTP. Each is repeated while the server is away: safe, because a read
/// changes nothing and every write carries an idempotency key.
/// </summary>
internal sealed class StatehouseClient(HttpClient http, TimeProvider clock, TimeSpan patience)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>Live keys of an agent that start with a prefix; empty where the agent does not exist yet.</summary>
    public async Task<IReadOnlyDictionary<string, JsonNode?>> ScanAsync(
        string agent, string prefix, CancellationToken cancellationToken)
    {
        string path = $"{AgentPath(agent)}/state?prefix={Uri.EscapeDataString(prefix)}&limit=1000";
        JsonNode? page = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);
        var found = new Dictionary<string, JsonNode?>();
        foreach (JsonNode? item in page?["items"]?.AsArray() ?? [])
            found.Add((string)item!["key"]!, item["value"]);
        return found;
    }

    /// <summary>Writes one key.</summary>
    /// <returns>The agent version that the write became, also where an earlier attempt had written it already.</returns>
    public async Task<long> PutAsync(
        string agent, string key, JsonNode value, string idempotencyKey, CancellationToken cancellationToken)
    {
        string path = $"{AgentPath(agent)}/state/{Uri.EscapeDataString(key)}";
        string body = value.ToJsonString();
        JsonNode? receipt = await SendAsync(
            () => new HttpRequestMessage(HttpMethod.Put, path)
            {
                Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
                Headers = { { "Idempotency-Key", idempotencyKey } },
            },
            cancellationToken);
        return (long)(receipt?["version"] ?? throw new InvalidOperationException($"PUT {path}: the receipt has no version."));
    }

    private static string AgentPath(string agent) => $"/v1/namespaces/default/agents/{Uri.EscapeDataString(agent)}";

    /// <returns>The answer's JSON; null for 404.</returns>
    private async Task<JsonNode?> SendAsync(Func<HttpRequestMessage> request, CancellationToken cancellationToken)
    {
        long began = clock.GetTimestamp();
        for (int attempt = 1; ; attempt++)
        {
            (JsonNode? answer, Exception? trouble) = await TryOnceAsync(request, cancellationToken);
            if (trouble is null)
                return answer;
            if (clock.GetElapsedTime(began) > patience)
                throw new StatehouseUnavailableException($"Gave up after {attempt} attempts: {trouble.Message}", trouble);
            if (attempt == 1)
                Console.WriteLine($"waiting for the server: {trouble.Message}");
            await Task.Delay(RetryDelay, clock, cancellationToken);
        }
    }

    /// <summary>One attempt: an answer, or a trouble that a repeat may get over.</summary>
    /// <exception cref="InvalidOperationException">A refusal: repeating would not help, our request is wrong.</exception>
    private async Task<(JsonNode? Answer, Exception? Trouble)> TryOnceAsync(
        Func<HttpRequestMessage> request, CancellationToken cancellationToken)
    {
        using HttpRequestMessage message = request();
        try
        {
            using HttpResponseMessage response = await http.SendAsync(message, cancellationToken);
            string text = await response.Content.ReadAsStringAsync(cancellationToken);
            if (response.IsSuccessStatusCode)
                return (JsonNode.Parse(text), null);
            if (response.StatusCode == HttpStatusCode.NotFound)
                return (null, null);
            string said = $"{message.Method} {message.RequestUri}: {(int)response.StatusCode} {text}";
            if (response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests)
                return (null, new HttpRequestException(said));
            throw new InvalidOperationException(said);
        }
        // A killed server breaks the connection, cuts the answer short, or never answers.
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException
            || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return (null, error);
        }
    }
}

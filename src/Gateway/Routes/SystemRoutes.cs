using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Health, build, metrics, and the description of all of it.</summary>
internal sealed class SystemRoutes(
    IAgents agents, PrometheusExporter metrics, TimeSpan readyPatience, TimeProvider clock, CancellationToken stopping)
{
    public IEnumerable<ApiRoute> Routes =>
    [
        new("GET", "/healthz", HealthAsync),
        new("GET", "/readyz", ReadyAsync),
        new("GET", "/metrics", MetricsAsync),
        new("GET", "/v1/version", VersionAsync),
        new("GET", "/openapi/v1.json", OpenApiAsync),
        new("GET", "/errors/{code}", ErrorAsync),
    ];

    private static async ValueTask HealthAsync(Call call)
    {
        call.Json.Raw("{\"status\":\"ok\"}"u8);
        await call.ReplyAsync();
    }

    /// <summary>Ready while the journal answers in time and the server is not stopping.</summary>
    private async ValueTask ReadyAsync(Call call)
    {
        if (stopping.IsCancellationRequested)
            throw new JournalUnavailableException("The server is stopping.");
        using var patience = new CancellationTokenSource(readyPatience, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, call.Gone);
        try
        {
            // Waited for here as well: a journal that hangs need not heed the token.
            await agents.PingAsync(ending.Token).AsTask().WaitAsync(ending.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            throw new JournalUnavailableException($"The journal did not answer within {readyPatience.TotalSeconds} s.");
        }
        call.Json.Raw("{\"status\":\"ready\"}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask MetricsAsync(Call call)
    {
        call.Json.Raw(System.Text.Encoding.UTF8.GetBytes(metrics.Scrape()));
        await call.ReplyAsync(200, PrometheusExporter.MediaType);
    }

    private static async ValueTask VersionAsync(Call call)
    {
        call.Json.Raw("{\"version\":"u8).String(BuildInfo.Version)
            .Raw(",\"git_sha\":"u8).String(BuildInfo.GitSha).Raw(",\"api\":\"v1\"}"u8);
        await call.ReplyAsync();
    }

    private static async ValueTask OpenApiAsync(Call call)
    {
        call.Json.Raw(OpenApiDocument.Utf8);
        await call.ReplyAsync();
    }

    /// <summary>What the <c>type</c> of a problem points to.</summary>
    private static async ValueTask ErrorAsync(Call call)
    {
        string code = call.Text("code", "code");
        ErrorRow row = ErrorMap.Rows.FirstOrDefault(row => row.Code.Text() == code)
            ?? throw RefusedException.NotFound($"error code {Query.Shown(code)}");
        call.Json.Raw("{\"code\":"u8).String(code)
            .Raw(",\"title\":"u8).String(row.Title)
            .Raw(",\"status\":"u8).Number(row.HttpStatus)
            .Raw(",\"kind\":"u8).String(KindText(row.Code.Kind())).Raw("}"u8);
        await call.ReplyAsync();
    }

    private static string KindText(ErrorKind kind) => kind switch
    {
        ErrorKind.Refusal => "refusal",
        ErrorKind.Fault => "fault",
        _ => "broken_invariant",
    };
}

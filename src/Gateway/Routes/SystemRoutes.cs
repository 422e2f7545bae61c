using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Health, build, metrics, and what problems point to: what every server has, whatever else it serves.</summary>
internal sealed class SystemRoutes(Readiness readiness, PrometheusExporter metrics)
{
    public IEnumerable<ApiRoute> Routes =>
    [
        new("GET", "/healthz", HealthAsync) { OutlastsDrain = true },
        new("GET", "/readyz", ReadyAsync) { OutlastsDrain = true },
        new("GET", "/metrics", MetricsAsync) { OutlastsDrain = true },
        new("GET", "/v1/version", VersionAsync) { OutlastsDrain = true },
        new("GET", "/errors/{code}", ErrorAsync) { OutlastsDrain = true },
    ];

    /// <summary>The description of the API, where there is one.</summary>
    public static ApiRoute OpenApi => new("GET", "/openapi/v1.json", OpenApiAsync);

    private static async ValueTask HealthAsync(Call call)
    {
        call.Json.Raw("{\"status\":\"ok\"}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask ReadyAsync(Call call)
    {
        await readiness.CheckAsync(call.Gone);
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

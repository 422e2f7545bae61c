using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Statehouse.Bench.Load;

namespace Statehouse.Bench.Executions;

/// <summary>What the measures send. Ids are new in each process, so a server may be measured twice.</summary>
internal sealed class ExecutionLoad(IPEndPoint server, string? run = null)
{
    private const string Root = "/v1/namespaces/bench/executions";

    private readonly string _run = run ?? Guid.NewGuid().ToString("N")[..8];

    /// <summary>Of this process only.</summary>
    public string Workflow => $"bench-{_run}";

    public string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"{_run}-{number}");

    public HttpConnection Connect() => new(server);

    public Task CreateAsync(HttpConnection connection, int number) =>
        ExpectAsync(connection, "POST", Root, $$$"""
            {"execution_id":"{{{Id(number)}}}","workflow":"{{{Workflow}}}","labels":{"number":"{{{number % 100}}}"}}
            """, 201);

    public Task CheckpointAsync(HttpConnection connection, int number, int step, byte[] state) =>
        ExpectAsync(connection, "PUT", $"{Root}/{Id(number)}/checkpoints/{step.ToString(CultureInfo.InvariantCulture)}", state, 201);

    public Task<byte[]> LatestAsync(HttpConnection connection, int number) =>
        ExpectAsync(connection, "GET", $"{Root}/{Id(number)}/checkpoints/latest", (byte[]?)null, 200);

    public async Task<int> QueryAsync(HttpConnection connection, string parameters)
    {
        using JsonDocument page = JsonDocument.Parse(await ExpectAsync(connection, "GET", $"{Root}?workflow={Workflow}&{parameters}", (byte[]?)null, 200));
        return page.RootElement.GetProperty("items").GetArrayLength();
    }

    /// <returns>Ids and tokens.</returns>
    public async Task<IReadOnlyList<(string Id, long Token)>> ClaimAsync(HttpConnection connection, string worker, int limit, int leaseMs)
    {
        using JsonDocument page = JsonDocument.Parse(await ExpectAsync(
            connection, "POST", $"{Root}/claim", $$"""{"worker":"{{worker}}","limit":{{limit}},"workflow":"{{Workflow}}","lease_ms":{{leaseMs}}}""", 200));
        return [.. page.RootElement.GetProperty("items").EnumerateArray().Select(item => (
            item.GetProperty("execution_id").GetString()!, item.GetProperty("lease").GetProperty("token").GetInt64()))];
    }

    private static Task<byte[]> ExpectAsync(HttpConnection connection, string method, string path, string body, int status) =>
        ExpectAsync(connection, method, path, Encoding.UTF8.GetBytes(body), status);

    private static async Task<byte[]> ExpectAsync(HttpConnection connection, string method, string path, byte[]? body, int status)
    {
        HttpReply reply = await connection.SendAsync(method, path, "Content-Type: application/json\r\n", body, default);
        return reply.Status == status
            ? reply.Body.ToArray()
            : throw new InvalidOperationException($"{method} {path} was answered {reply.Status}: {Encoding.UTF8.GetString(reply.Body.Span)}");
    }
}

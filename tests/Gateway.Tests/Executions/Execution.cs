using System.Text.Json;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Executions;

/// <summary>One execution of a test, by its path.</summary>
internal sealed class Execution(ApiClient api, string path)
{
    public const string All = "/v1/namespaces/default/executions";

    private static int s_count;

    public string Path => path;

    public string Id { get; private init; } = "";

    public static string NewId() => $"run-{Interlocked.Increment(ref s_count)}";

    /// <summary>Creates one that no other test has.</summary>
    /// <param name="api">The server.</param>
    /// <param name="members">Further members of the request, each led by a comma.</param>
    public static async Task<Execution> CreateAsync(ApiClient api, string members = "")
    {
        string id = NewId();
        (await api.PostAsync(All, $"{{\"execution_id\":\"{id}\",\"workflow\":\"refund\"{members}}}")).Expect(201);
        return new Execution(api, $"{All}/{id}") { Id = id };
    }

    public Task<Reply> GetAsync(string below = "") => api.GetAsync(path + below);

    public Task<Reply> PostAsync(string below, string body = "", params string[] headers) => api.PostAsync(path + below, body, headers);

    public Task<Reply> CheckpointAsync(long step, string state, string query = "", params string[] headers) =>
        api.PutAsync($"{path}/checkpoints/{step}{query}", state, headers);

    public async Task WriteAsync(long from, long to)
    {
        for (long step = from; step <= to; step++)
            (await CheckpointAsync(step, $"{{\"step\":{step}}}")).Expect(201);
    }

    public async Task<JsonElement> ReadAsync() => (await GetAsync()).Expect(200).Json;

    /// <summary>Runs what must be refused, and sees to it that nothing was written.</summary>
    public async Task<Reply> RefusedAsync(Func<Task<Reply>> attempt, int status, string code)
    {
        string before = (await ReadAsync()).GetRawText();
        Reply reply = (await attempt()).ExpectProblem(status, code);
        Assert.Equal(before, (await ReadAsync()).GetRawText());
        return reply;
    }

    public static string Detail(Reply reply, string name) => reply.Json.GetProperty("details").GetProperty(name).GetString()!;
}

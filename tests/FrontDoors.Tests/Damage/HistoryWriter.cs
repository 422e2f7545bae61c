using System.Globalization;
using System.Text;

namespace Statehouse.FrontDoors.Tests.Damage;

/// <summary>
/// Writes a history that holds one of everything: old versions, tombstones, values large enough to be compressed and to make
/// snapshots, idempotency keys, an execution with states kept as differences.
/// </summary>
internal sealed class HistoryWriter(HttpClient http, Random random)
{
    public const int Agents = 3;
    public const string Execution = "/v1/namespaces/default/executions/run";

    /// <summary>The list of executions, as it stood after each checkpoint.</summary>
    public List<string> Rows { get; } = [];

    private int _version;
    private int _step;
    private string _state = "";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static string Agent(int agent) => string.Create(CultureInfo.InvariantCulture, $"/v1/namespaces/default/agents/agent-{agent}");

    public async Task CreateExecutionAsync() => await SendAsync(
        HttpMethod.Post, "/v1/namespaces/default/executions",
        """{"execution_id":"run","workflow":"w","labels":{"team":"blue"},"settings":{"checkpoint_retention":1000}}""");

    /// <summary>So many commits on each agent, and a third as many checkpoints.</summary>
    public async Task WriteAsync(int commits)
    {
        for (int i = 0; i < commits; i++)
        {
            _version++;
            for (int agent = 0; agent < Agents; agent++)
                await CommitAsync(agent);
            if (i % 3 == 0)
                await CheckpointAsync();
        }
    }

    private Task CommitAsync(int agent)
    {
        string value = Text(random.Next(6) == 0 ? 9000 : 1200);
        string third = _version % 7 == 0 ? "{\"op\":\"delete\",\"key\":\"k3\"}" : "{\"op\":\"put\",\"key\":\"k3\",\"value\":12345678901234567890.5}";
        string key = string.Create(CultureInfo.InvariantCulture, $"k{1 + (_version % 2)}");
        return SendAsync(HttpMethod.Post, Agent(agent) + "/commits", string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"operations":[{"op":"put","key":"{{key}}","value":"{{value}}"},{{third}}],"idempotency_key":"i{{_version}}"}"""));
    }

    private async Task CheckpointAsync()
    {
        _step++;
        // Mostly what it was before, so that a difference to it is kept.
        int cut = random.Next(_state.Length + 1);
        string changed = _state[..cut] + Text(40) + _state[cut..];
        _state = changed.Length > 6000 ? changed[..6000] : changed + Text(500);
        await SendAsync(HttpMethod.Put, string.Create(CultureInfo.InvariantCulture, $"{Execution}/checkpoints/{_step}"), $"{{\"text\":\"{_state}\"}}");
        Rows.Add(await http.GetStringAsync("/v1/namespaces/default/executions?limit=1000", Cancelled));
    }

    private async Task SendAsync(HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body) };
        using HttpResponseMessage reply = await http.SendAsync(request, Cancelled);
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync(Cancelled));
    }

    /// <summary>Half of it repeats, so that it can be compressed.</summary>
    private string Text(int length)
    {
        var text = new StringBuilder();
        while (text.Length < length)
            text.Append(random.Next(2) == 0 ? "repeated.." : random.Next(1_000_000_000).ToString("D10", CultureInfo.InvariantCulture));
        return text.ToString();
    }
}

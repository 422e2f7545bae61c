using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Statehouse.Cli.Tests;

public sealed class ExecutionCommandTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private readonly Ctl _ctl = new($"http://{fixture.Server.Address}");
    private readonly HttpClient _http = fixture.Server.Http;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_list_shows_what_matches_as_a_table_whose_columns_stand_under_each_other()
    {
        In("list");
        await CreateAsync("list", "run-1", "refund", steps: 2);
        await CreateAsync("list", "a run with a longer name", "other", steps: 0);
        IReadOnlyList<string> lines = (await _ctl.RunAsync("executions", "list", "--order-by", "started", "--oldest-first")).Lines;
        Assert.Equal(3, lines.Count);
        Assert.StartsWith("EXECUTION", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("run-1 ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("\"a run with a longer name\"", lines[2], StringComparison.Ordinal);
        int column = lines[0].IndexOf("STATUS", StringComparison.Ordinal);
        Assert.Equal(("running", "pending"), (lines[1][column..].Split(' ')[0], lines[2][column..].Split(' ')[0]));
        Assert.Contains("n=1 team=a", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_is_narrowed_by_status_workflow_label_and_number()
    {
        In("filters");
        foreach (string id in (string[])["a", "b", "c"])
            await CreateAsync("filters", id, id == "c" ? "other" : "refund", steps: 1, label: id);
        await _ctl.OkAsync("executions", "cancel", "a");
        Assert.Equal(["a"], await IdsAsync("--status", "cancelled"));
        Assert.Equal(["a", "c", "b"], await IdsAsync("--status", "cancelled", "--status", "running"));
        Assert.Equal(["b"], await IdsAsync("--workflow", "refund", "--label", "n=b", "--label", "team=a"));
        Assert.Equal(["a", "c"], await IdsAsync("--limit", "2"));
        Assert.Empty(await IdsAsync("--started-to", "2020-01-01T00:00:00Z"));
        Assert.Equal(3, (await IdsAsync("--updated-from", "2020-01-01T00:00:00Z")).Count);
    }

    [Fact]
    public async Task A_list_longer_than_a_page_is_printed_whole()
    {
        In("long");
        await Parallel.ForEachAsync(Enumerable.Range(0, 620), Cancelled, async (n, _) => await CreateAsync("long", $"run-{n:d4}", "w", steps: 0));
        Assert.Equal(620, (await IdsAsync()).Distinct().Count());
        Assert.Equal(621, (await _ctl.RunAsync("executions", "list")).Lines.Count);
    }

    [Fact]
    public async Task A_state_comes_back_byte_for_byte_of_any_step()
    {
        In("states");
        await CreateAsync("states", "run", "w", steps: 0);
        const string State = "{\"big\": 123456789012345678901234567890.10,\n \"z\":[1,  2],\"a\":\"Zürich\"}";
        await SendAsync(HttpMethod.Put, "states", "run/checkpoints/1", State);
        Assert.Equal(State + "\n", await _ctl.OkAsync("executions", "get", "run", "--state"));
        Assert.Equal("{\"step\":0}\n", await _ctl.OkAsync("executions", "get", "run", "--state", "--step", "0"));
        Assert.Contains("  \"big\": 123456789012345678901234567890.10,\n", await _ctl.OkAsync("executions", "get", "run", "--state", "--pretty"), StringComparison.Ordinal);
        Assert.Equal("run", Member(await _ctl.OkAsync("executions", "get", "run", "--json"), "execution_id"));
        Assert.Contains("attempt     0 of 3", await _ctl.OkAsync("executions", "get", "run"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("metrics")]
    [InlineData("..")]
    [InlineData("Zürich 🚀?#&")]
    public async Task Ids_and_names_reach_the_server_as_they_are(string id)
    {
        In("ids");
        await CreateAsync("ids", id, "w", steps: 0);
        Assert.Equal(id, Member(await _ctl.OkAsync("executions", "get", id, "--json"), "execution_id"));
        await _ctl.OkAsync("executions", "snapshot", id, id);
        Assert.Equal(id, Member(await _ctl.OkAsync("executions", "snapshots", id, "--json"), "name"));
        await _ctl.OkAsync("executions", "snapshot", id, id, "--delete");
        Assert.Equal("", await _ctl.OkAsync("executions", "snapshots", id, "--json"));
    }

    [Fact]
    public async Task History_is_a_table_of_steps_or_JSON_lines_and_says_what_was_thinned()
    {
        In("history");
        await CreateAsync("history", "run", "w", steps: 12, retention: 2);
        await SendAsync(HttpMethod.Post, "history", "run/thin", "");
        IReadOnlyList<string> lines = (await _ctl.RunAsync("executions", "history", "run", "--state")).Lines;
        Assert.Equal(14, lines.Count);
        Assert.Contains("thinned", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("{\"step\":12}", lines[^1], StringComparison.Ordinal);
        IReadOnlyList<string> newest = (await _ctl.RunAsync("executions", "history", "run", "--newest-first", "--limit", "2", "--to-step", "9", "--json")).Lines;
        Assert.Equal(["9", "8"], newest.Select(line => Member(line, "step")));
    }

    [Fact]
    public async Task An_operator_pauses_resumes_restores_and_cancels()
    {
        In("steer");
        await CreateAsync("steer", "run", "w", steps: 3);
        await _ctl.OkAsync("executions", "snapshot", "run", "early", "--step", "1");
        Assert.Contains("status=paused", await _ctl.OkAsync("executions", "pause", "run", "--reason", "he said \"no\""), StringComparison.Ordinal);
        Assert.Contains("status=running", await _ctl.OkAsync("executions", "resume", "run"), StringComparison.Ordinal);
        Assert.Contains("status=pending  step=1", await _ctl.OkAsync("executions", "restore", "run", "--snapshot", "early"), StringComparison.Ordinal);
        Assert.Contains("status=pending  step=2", await _ctl.OkAsync("executions", "restore", "run", "--step", "2"), StringComparison.Ordinal);
        Assert.Equal("cancelled", Member(await _ctl.OkAsync("executions", "cancel", "run", "--json"), "status"));
        CtlResult again = await _ctl.RunAsync("executions", "resume", "run");
        Assert.Equal((1, ""), (again.ExitCode, again.Out));
        Assert.Contains("SH-1001", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cleanup_removes_call_after_call_until_none_is_left()
    {
        In("cleanup");
        const int Ended = 1_100;
        await Parallel.ForEachAsync(Enumerable.Range(0, Ended), Cancelled, async (n, _) =>
        {
            await CreateAsync("cleanup", $"run-{n}", "w", steps: 0);
            await SendAsync(HttpMethod.Post, "cleanup", $"run-{n}/cancel", "");
        });
        await CreateAsync("cleanup", "alive", "w", steps: 0);
        Assert.Equal("matched=0  removed=0\n", await _ctl.OkAsync("executions", "cleanup", "--older-than-days", "1"));
        Assert.Equal("matched=0  removed=0\n", await _ctl.OkAsync("executions", "cleanup", "--older-than-days", "0", "--status", "failed"));
        Assert.Equal("matched=1000  removed=0  and more\n", await _ctl.OkAsync("executions", "cleanup", "--older-than-days", "0", "--dry-run"));
        string done = await _ctl.OkAsync("executions", "cleanup", "--older-than-days", "0", "--json");
        Assert.Equal(Ended.ToString(System.Globalization.CultureInfo.InvariantCulture), Member(done, "removed"));
        Assert.Equal(["alive"], await IdsAsync());
    }

    [Theory]
    [InlineData(4, "executions", "get", "nobody")]
    [InlineData(4, "executions", "history", "nobody")]
    [InlineData(4, "executions", "restore", "nobody", "--step", "0")]
    [InlineData(2, "executions", "restore", "nobody")]
    [InlineData(2, "executions", "restore", "nobody", "--step", "0", "--snapshot", "s")]
    [InlineData(2, "executions", "get", "nobody", "--step", "1")]
    [InlineData(2, "executions", "cleanup")]
    [InlineData(2, "executions", "cleanup", "--older-than-days", "1", "--status", "running")]
    [InlineData(2, "executions", "list", "--status", "unknown")]
    [InlineData(2, "executions", "nothing")]
    [InlineData(1, "executions", "list", "--label", "no-value")]
    public async Task What_cannot_be_done_ends_with_its_code_and_one_line(int exitCode, params string[] arguments)
    {
        CtlResult result = await _ctl.RunAsync(arguments);
        Assert.Equal((exitCode, ""), (result.ExitCode, result.Out));
        Assert.StartsWith("statehousectl: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistake_names_the_help_of_the_whole_command() =>
        Assert.Contains("see statehousectl executions restore --help", (await _ctl.RunAsync("executions", "restore", "x")).Error, StringComparison.Ordinal);

    private void In(string @namespace) => _ctl.Environment["STATEHOUSE_NAMESPACE"] = @namespace;

    /// <summary>With the states <c>{"step":0}</c>, <c>{"step":1}</c>, …</summary>
    private async Task CreateAsync(string @namespace, string id, string workflow, int steps, string label = "1", int retention = 100)
    {
        object body = new
        {
            execution_id = id,
            workflow,
            labels = new Dictionary<string, string> { ["team"] = "a", ["n"] = label },
            state = new { step = 0 },
            settings = new { checkpoint_retention = retention },
        };
        using HttpResponseMessage created = await _http.PostAsJsonAsync($"/v1/namespaces/{@namespace}/executions", body, Cancelled);
        created.EnsureSuccessStatusCode();
        for (int step = 1; step <= steps; step++)
            await SendAsync(HttpMethod.Put, @namespace, $"{Uri.EscapeDataString(id)}/checkpoints/{step}", $"{{\"step\":{step}}}");
    }

    private async Task SendAsync(HttpMethod method, string @namespace, string place, string body)
    {
        using var request = new HttpRequestMessage(method, $"/v1/namespaces/{@namespace}/executions/{place}")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using HttpResponseMessage response = await _http.SendAsync(request, Cancelled);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancelled));
    }

    private async Task<IReadOnlyList<string>> IdsAsync(params string[] flags)
    {
        string output = await _ctl.OkAsync(["executions", "list", "--json", .. flags]);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Member(line, "execution_id"))];
    }

    private static string Member(string json, string name)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty(name).ToString();
    }
}

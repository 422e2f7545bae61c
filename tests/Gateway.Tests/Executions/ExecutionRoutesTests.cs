using System.Text.Json;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Executions;

public sealed class ExecutionRoutesTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly ApiClient _api = server.Api;

    [Fact]
    public async Task The_same_creation_again_is_the_same_execution_and_another_is_refused()
    {
        string id = Execution.NewId();
        string body = $$"""{"execution_id":"{{id}}","workflow":"refund","labels":{"b":"2","a":"1"},"state":{"x":1} }""";
        string again = $$"""{"labels":{"a":"1","b":"2"},"state":{"x":1},"workflow":"refund","execution_id":"{{id}}"}""";
        Reply first = (await _api.PostAsync(Execution.All, body)).Expect(201);
        Reply second = (await _api.PostAsync(Execution.All, again)).Expect(200);
        Assert.Equal(first.Body, second.Body);
        Assert.Equal("true", second.Header("Idempotent-Replayed"));
        (await _api.PostAsync(Execution.All, body.Replace("\"x\":1", "\"x\":2", StringComparison.Ordinal))).ExpectProblem(422, "SH-1002");
        Assert.Equal(1, (await _api.GetAsync($"{Execution.All}/{id}")).Number("version"));
    }

    [Fact]
    public async Task Without_an_id_one_is_drawn()
    {
        Reply created = (await _api.PostAsync(Execution.All, """{"workflow":"w"}""")).Expect(201);
        Assert.Equal(7, Guid.Parse(created.Text("execution_id")).Version);
        Assert.Equal("pending", created.Text("status"));
        Assert.Equal(JsonValueKind.Null, created.Json.GetProperty("step").ValueKind);
        (await _api.GetAsync($"{Execution.All}/{created.Text("execution_id")}?consistency=strong")).Expect(200);
    }

    [Theory]
    [InlineData("a/b", "a%2Fb")]
    [InlineData("%2F", "%252F")]
    [InlineData("a:b/c:", "a%3Ab%2Fc:")]
    [InlineData("läufer-😀-агент", "l%C3%A4ufer-%F0%9F%98%80-%D0%B0%D0%B3%D0%B5%D0%BD%D1%82")]
    [InlineData("metrics", "%6Detrics")]
    public async Task Ids_hold_any_character_and_meet_no_agent(string id, string segment)
    {
        string agent = $"/v1/namespaces/default/agents/{segment}";
        (await _api.PutAsync($"{agent}/state/k", "1")).Expect(200);
        (await _api.PostAsync(Execution.All, JsonSerializer.Serialize(new { execution_id = id, workflow = "w" }))).Expect(201);
        (await _api.PutAsync($"{Execution.All}/{segment}/checkpoints/0", "{}")).Expect(201);
        Assert.Equal(id, (await _api.GetAsync($"{Execution.All}/{segment}")).Expect(200).Text("execution_id"));
        (await _api.PostAsync($"{Execution.All}/{segment}/snapshots/{segment}", "")).Expect(201);
        Assert.Equal(id, (await _api.GetAsync($"{Execution.All}/{segment}/snapshots/{segment}")).Expect(200).Text("name"));
        Assert.Equal(1, (await _api.GetAsync(agent)).Expect(200).Number("version"));
    }

    [Fact]
    public async Task Status_changes_follow_the_table_and_others_write_nothing()
    {
        Execution run = await Execution.CreateAsync(_api);
        Assert.Equal("pending", Execution.Detail(await run.RefusedAsync(() => run.PostAsync("/complete"), 409, "SH-1001"), "status"));
        (await run.PostAsync("/pause", """{"reason":"lunch"}""")).Expect(200);
        foreach (string refused in (string[])["/pause", "/complete", "/heartbeat"])
            Assert.Equal("paused", Execution.Detail(await run.RefusedAsync(() => run.PostAsync(refused), 409, "SH-1001"), "status"));
        await run.RefusedAsync(() => run.CheckpointAsync(0, "{}"), 409, "SH-1001");
        Assert.Equal("running", (await run.PostAsync("/resume")).Expect(200).Text("status"));
        await run.RefusedAsync(() => run.PostAsync("/resume"), 409, "SH-1001");
        Reply done = (await run.PostAsync("/complete", """{"result":{"ok":true}}""")).Expect(200);
        Assert.Equal("completed", done.Text("status"));
        Assert.True((await run.ReadAsync()).GetProperty("result").GetProperty("ok").GetBoolean());
        foreach (string refused in (string[])["/pause", "/resume", "/complete", "/cancel"])
            Assert.Equal("completed", Execution.Detail(await run.RefusedAsync(() => run.PostAsync(refused), 409, "SH-1001"), "status"));
        await run.RefusedAsync(() => run.PostAsync("/fail", """{"error":{"message":"m"}}"""), 409, "SH-1001");
        await run.RefusedAsync(() => run.CheckpointAsync(5, "{}"), 409, "SH-1001");
    }

    [Fact]
    public async Task A_failure_says_why_and_needs_a_message()
    {
        Execution run = await Execution.CreateAsync(_api);
        await run.RefusedAsync(() => run.PostAsync("/fail", "{}"), 400, "SH-1003");
        await run.RefusedAsync(() => run.PostAsync("/fail", """{"error":{"type":"t"}}"""), 400, "SH-1003");
        await run.RefusedAsync(() => run.PostAsync("/fail", """{"error":{"message":"m","more":1}}"""), 400, "SH-1003");
        Reply failed = (await run.PostAsync("/fail", """{"error":{"message":"declined","type":"card","details":[1]}}""")).Expect(200);
        Assert.Equal("""{"message":"declined","type":"card","details":[1]}""", failed.Json.GetProperty("error").GetRawText());
        Assert.NotEqual(JsonValueKind.Null, failed.Json.GetProperty("finished_at").ValueKind);
    }

    [Fact]
    public async Task Completing_twice_is_the_same_only_under_the_same_key()
    {
        Execution run = await Execution.CreateAsync(_api, ""","state":1""");
        await run.WriteAsync(1, 1);
        const string key = "Idempotency-Key: done";
        (await run.PostAsync("/complete", """{"result":1}""", key)).Expect(200);
        Reply again = (await run.PostAsync("/complete", """{"result":1}""", key)).Expect(200);
        Assert.Equal("true", again.Header("Idempotent-Replayed"));
        (await run.PostAsync("/complete", """{"result":2}""", key)).ExpectProblem(422, "SH-1002");
        (await run.PostAsync("/complete", """{"result":1}""")).ExpectProblem(409, "SH-1001");
        Assert.Equal(3, (await run.ReadAsync()).GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task A_query_shows_what_was_just_acknowledged_page_by_page()
    {
        const string ns = "/v1/namespaces/queries/executions";
        for (int i = 0; i < 5; i++)
            (await _api.PostAsync(ns, $$"""{"execution_id":"q{{i}}","workflow":"w{{i % 2}}","labels":{"team":"a","n":"{{i}}"} }""")).Expect(201);
        (await _api.PostAsync($"{ns}/q1/cancel", "")).Expect(200);

        Assert.Equal(["q1", "q4", "q3", "q2", "q0"], (await _api.GetAsync(ns)).Expect(200).Each("execution_id"));
        Assert.Equal(["q0", "q1", "q2", "q3", "q4"], (await _api.GetAsync($"{ns}?order_by=started&order=asc")).Each("execution_id"));
        Assert.Equal(["q1"], (await _api.GetAsync($"{ns}?status=cancelled&status=failed")).Each("execution_id"));
        Assert.Equal(["q3", "q1"], (await _api.GetAsync($"{ns}?workflow=w1&order_by=started")).Each("execution_id"));
        Assert.Equal(["q2"], (await _api.GetAsync($"{ns}?label=team%3Da&label=n%3D2")).Each("execution_id"));
        Assert.Empty((await _api.GetAsync($"{ns}?label=team%3Db")).Items);
        var seen = new List<string>();
        string after = "";
        do
        {
            Reply page = (await _api.GetAsync($"{ns}?limit=2&after={after}")).Expect(200);
            seen.AddRange(page.Each("execution_id"));
            after = page.Has("next") ? page.Text("next") : "";
        }
        while (after.Length > 0);
        Assert.Equal(["q1", "q4", "q3", "q2", "q0"], seen);
        Reply metrics = (await _api.GetAsync($"{ns}/metrics")).Expect(200);
        Assert.Equal(5, metrics.Number("total"));
        Assert.Equal(4, metrics.Number("active"));
    }

    [Theory]
    [InlineData("?after=nonsense!")]
    [InlineData("?after=AAAA")]
    [InlineData("?limit=0")]
    [InlineData("?limit=1001")]
    [InlineData("?status=asleep")]
    [InlineData("?label=nameless")]
    [InlineData("?order_by=name")]
    [InlineData("?workflow=a&workflow=b")]
    [InlineData("?started_from=yesterday")]
    [InlineData("?started_from=2026-02-01T00:00:00Z&started_to=2026-01-01T00:00:00Z")]
    [InlineData("?updated_from=2026-02-01T00:00:00Z&updated_to=2026-01-01T00:00:00Z")]
    public async Task A_query_that_cannot_be_meant_is_refused(string query) =>
        (await _api.GetAsync(Execution.All + query)).ExpectProblem(400, "SH-1003");

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"workflow":""}""")]
    [InlineData("""{"workflow":"w","colour":"red"}""")]
    [InlineData("""{"workflow":"w","labels":{"a=b":"c"}}""")]
    [InlineData("""{"workflow":"w","labels":{"a":1}}""")]
    [InlineData("""{"workflow":"w","settings":{"checkpoint_interval":0}}""")]
    [InlineData("""{"workflow":"w","settings":{"checkpoint_retention":1000001}}""")]
    [InlineData("""{"workflow":"w","settings":{"recovery_timeout_ms":99}}""")]
    [InlineData("""{"workflow":"w","settings":{"colour":1}}""")]
    [InlineData("""{"workflow":"w","max_attempts":0}""")]
    [InlineData("""{"workflow":"w","claim":{}}""")]
    [InlineData("""{"workflow":"w","execution_id":""}""")]
    public async Task A_creation_that_cannot_be_meant_is_refused(string body) =>
        (await _api.PostAsync(Execution.All, body)).ExpectProblem(400, "SH-1003");

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        string none = $"{Execution.All}/nobody";
        (await _api.GetAsync(none)).ExpectProblem(404, "SH-1007");
        (await _api.PutAsync($"{none}/checkpoints/1", "{}")).ExpectProblem(404, "SH-1007");
        (await _api.PutAsync($"{none}/checkpoints/1?buffered=true", "{}")).ExpectProblem(404, "SH-1007");
        foreach (string route in (string[])["/heartbeat", "/complete", "/cancel", "/pause", "/resume", "/snapshots/s", "/thin", "/flush"])
            (await _api.PostAsync(none + route, "")).ExpectProblem(404, "SH-1007");
        (await _api.PostAsync($"{none}/restore", """{"step":1}""")).ExpectProblem(404, "SH-1007");
        foreach (string route in (string[])["/checkpoints", "/checkpoints/latest", "/checkpoints/1", "/snapshots", "/snapshots/s"])
            (await _api.GetAsync(none + route)).ExpectProblem(404, "SH-1007");
        (await _api.GetAsync(none)).ExpectProblem(404, "SH-1007");
    }

    [Fact]
    public async Task Cleanup_removes_what_is_finished_and_never_what_is_not()
    {
        const string ns = "/v1/namespaces/cleanup/executions";
        foreach (string id in (string[])["done", "going", "kept"])
            (await _api.PostAsync(ns, $$"""{"execution_id":"{{id}}","workflow":"w","state":{} }""")).Expect(201);
        (await _api.PostAsync($"{ns}/done/snapshots/s", "")).Expect(201);
        (await _api.PostAsync($"{ns}/done/cancel", "")).Expect(200);
        foreach (string bad in (string[])["""{"older_than_days":0,"status":["running"]}""", """{"older_than_days":0,"status":["completed","pending"]}""",
            """{"older_than_days":0,"status":[]}""", """{"status":["failed"]}""", """{"older_than_days":0}""",
            """{"older_than_days":0,"older_than":"2026-01-01T00:00:00Z","status":["failed"]}"""])
            (await _api.PostAsync($"{ns}/cleanup", bad)).ExpectProblem(400, "SH-1003");
        const string all = """{"older_than_days":0,"status":["completed","failed","cancelled"],"dry_run":DRY}""";
        Reply dry = (await _api.PostAsync($"{ns}/cleanup", all.Replace("DRY", "true", StringComparison.Ordinal))).Expect(200);
        Assert.Equal((1, 0), (dry.Number("matched"), dry.Number("removed")));
        Assert.Equal(1, (await _api.PostAsync($"{ns}/cleanup", all.Replace("DRY", "false", StringComparison.Ordinal))).Expect(200).Number("removed"));
        (await _api.GetAsync($"{ns}/done")).ExpectProblem(404, "SH-1007");
        Assert.Equal(["going", "kept"], (await _api.GetAsync($"{ns}?order=asc&order_by=started")).Each("execution_id"));
        // Its id, and the name of its snapshot, are free again.
        (await _api.PostAsync(ns, """{"execution_id":"done","workflow":"other","state":2}""")).Expect(201);
        (await _api.GetAsync($"{ns}/done/snapshots/s")).ExpectProblem(404, "SH-1007");
        (await _api.PostAsync($"{ns}/done/snapshots/s", "")).Expect(201);
        Assert.Equal("2", (await _api.GetAsync($"{ns}/done/snapshots/s")).Json.GetProperty("state").GetRawText());
    }
}

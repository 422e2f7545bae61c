using System.Text.Json;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Executions;

public sealed class CheckpointRoutesTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly ApiClient _api = server.Api;

    [Fact]
    public async Task A_state_reads_back_as_the_text_it_was_written_as()
    {
        Execution run = await Execution.CreateAsync(_api);
        const string state = """{"big":123456789012345678901234567890,"é":"\u00e9","list":[1.0,1e5, null]}""";
        (await run.CheckpointAsync(7, state)).Expect(201);
        Reply latest = (await run.GetAsync("/checkpoints/latest")).Expect(200);
        Assert.Equal(state, latest.Json.GetProperty("state").GetRawText());
        Assert.Equal("7", latest.Header("Statehouse-Step"));
        Assert.Equal("\"2\"", latest.Header("ETag"));
        using var plain = new HttpClient();
        foreach (string step in (string[])["latest", "7"])
        {
            string raw = await plain.GetStringAsync(
                new Uri(server.Node.Address, $"{run.Path}/checkpoints/{step}?raw=true"), TestContext.Current.CancellationToken);
            Assert.Equal(state, raw);
        }
    }

    [Fact]
    public async Task The_last_step_again_with_the_same_bytes_answers_the_first_receipt()
    {
        Execution run = await Execution.CreateAsync(_api);
        Reply first = (await run.CheckpointAsync(3, """{"a":1}""")).Expect(201);
        Reply again = (await run.CheckpointAsync(3, """{"a":1}""")).Expect(200);
        Assert.Equal("true", again.Header("Idempotent-Replayed"));
        foreach (string member in (string[])["version", "commit_ts", "time", "txn_id", "hash"])
            Assert.Equal(first.Json.GetProperty(member).GetRawText(), again.Json.GetProperty(member).GetRawText());
        Assert.Equal("3", Execution.Detail(await run.RefusedAsync(() => run.CheckpointAsync(3, """{"a":2}"""), 409, "SH-1001"), "step"));
        Assert.Equal("3", Execution.Detail(await run.RefusedAsync(() => run.CheckpointAsync(2, """{"a":1}"""), 409, "SH-1001"), "step"));
    }

    [Fact]
    public async Task A_repeat_under_its_key_answers_the_first_receipt_however_far_the_execution_has_gone()
    {
        Execution run = await Execution.CreateAsync(_api);
        const string key = "Idempotency-Key: step-1";
        Reply first = (await run.CheckpointAsync(1, "{}", "", key)).Expect(201);
        await run.WriteAsync(2, 4);
        Reply again = (await run.CheckpointAsync(1, "{}", "", key)).Expect(200);
        Assert.Equal(first.Number("version"), again.Number("version"));
        Assert.Equal(first.Text("txn_id"), again.Text("txn_id"));
        await run.RefusedAsync(() => run.CheckpointAsync(1, "[]", "", key), 422, "SH-1002");
        await run.RefusedAsync(() => run.CheckpointAsync(9, "{}", "", key), 422, "SH-1002");
    }

    [Theory]
    [InlineData("9007199254740992")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("01")]
    [InlineData("first")]
    public async Task A_step_that_is_none_is_refused(string step)
    {
        Execution run = await Execution.CreateAsync(_api);
        await run.RefusedAsync(() => _api.PutAsync($"{run.Path}/checkpoints/{step}", "{}"), 400, "SH-1003");
        await run.RefusedAsync(() => run.GetAsync($"/checkpoints/{step}"), 400, "SH-1003");
    }

    [Fact]
    public async Task The_largest_step_is_a_step()
    {
        Execution run = await Execution.CreateAsync(_api);
        (await run.CheckpointAsync(9007199254740991, "{}")).Expect(201);
        Assert.Equal(9007199254740991, (await run.GetAsync("/checkpoints/latest")).Number("step"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("{} {}")]
    public async Task A_state_that_is_not_JSON_is_refused(string state)
    {
        Execution run = await Execution.CreateAsync(_api);
        await run.RefusedAsync(() => run.CheckpointAsync(1, state), 400, "SH-1003");
        await run.RefusedAsync(() => run.CheckpointAsync(1, state, "?buffered=true"), 400, "SH-1003");
    }

    [Fact]
    public async Task A_state_above_the_limit_is_refused_by_its_name()
    {
        Execution run = await Execution.CreateAsync(_api);
        string state = $"\"{new string('x', 1024 * 1024 - 1)}\"";
        Reply refused = await run.RefusedAsync(() => run.CheckpointAsync(1, state), 413, "SH-1004");
        Assert.Equal(("state", "limits.value_bytes_max"), (Execution.Detail(refused, "field"), Execution.Detail(refused, "setting")));
        (await run.CheckpointAsync(1, state.Remove(1, 1))).Expect(201);
    }

    [Fact]
    public async Task History_is_paged_both_ways_with_steps_and_states()
    {
        Execution run = await Execution.CreateAsync(_api);
        await run.WriteAsync(0, 9);
        Reply middle = (await run.GetAsync("/checkpoints?from_step=3&to_step=5&state=true")).Expect(200);
        Assert.Equal(["3", "4", "5"], middle.Each("step"));
        Assert.Equal("""{"step":4}""", middle.Items[1].GetProperty("state").GetRawText());
        var seen = new List<string>();
        string next = "";
        do
        {
            Reply page = (await run.GetAsync($"/checkpoints?order=desc&limit=4&after={next}")).Expect(200);
            seen.AddRange(page.Each("step"));
            next = page.Has("next") ? page.Text("next") : "";
        }
        while (next.Length > 0);
        Assert.Equal(["9", "8", "7", "6", "5", "4", "3", "2", "1", "0"], seen);
        (await run.GetAsync("/checkpoints?from_step=5&to_step=3")).ExpectProblem(400, "SH-1003");
        (await run.GetAsync("/checkpoints?after=bad!")).ExpectProblem(400, "SH-1003");
    }

    [Fact]
    public async Task A_thinned_step_names_the_nearest_that_is_left_and_all_that_are_shown_as_restorable_are()
    {
        Execution run = await Execution.CreateAsync(_api, ""","settings":{"checkpoint_retention":5,"checkpoint_interval":2}""");
        await run.WriteAsync(0, 9);
        (await run.PostAsync("/snapshots/early?step=9")).Expect(201);
        await run.WriteAsync(10, 30);
        (await run.PostAsync("/thin")).Expect(200);
        Reply gone = (await run.GetAsync("/checkpoints/3")).ExpectProblem(410, "SH-1008");
        string nearest = Execution.Detail(gone, "nearest_step");
        (await run.GetAsync($"/checkpoints/{nearest}")).Expect(200);
        Reply restore = await run.RefusedAsync(() => run.PostAsync("/restore", """{"step":3}"""), 410, "SH-1008");
        Assert.Equal(nearest, Execution.Detail(restore, "nearest_step"));

        Reply history = (await run.GetAsync("/checkpoints?state=true")).Expect(200);
        Assert.Equal(31, history.Items.Count);
        foreach (JsonElement item in history.Items)
        {
            long step = item.GetProperty("step").GetInt64();
            bool restorable = item.GetProperty("restorable").GetBoolean();
            Assert.Equal(restorable, item.TryGetProperty("state", out JsonElement state));
            Assert.Equal(restorable ? 200 : 410, (await run.GetAsync($"/checkpoints/{step}")).Status);
            if (restorable)
                Assert.Equal($$"""{"step":{{step}}}""", state.GetRawText());
        }
        int left = history.Items.Count(item => item.GetProperty("restorable").GetBoolean());
        Assert.InRange(left, 5, 6);
        Assert.Equal("""{"step":9}""", (await run.GetAsync("/snapshots/early")).Expect(200).Json.GetProperty("state").GetRawText());
        Assert.Equal("pending", (await run.PostAsync("/restore", """{"snapshot":"early"}""")).Expect(200).Text("status"));
        Assert.Equal("""{"step":9}""", (await run.GetAsync("/checkpoints/latest")).Expect(200).Json.GetProperty("state").GetRawText());
    }

    [Fact]
    public async Task After_a_restore_old_steps_are_still_there_and_new_ones_are_found_first()
    {
        Execution run = await Execution.CreateAsync(_api);
        await run.WriteAsync(0, 5);
        (await run.PostAsync("/complete", """{"result":1}""")).Expect(200);
        Reply restored = (await run.PostAsync("/restore", """{"step":2}""")).Expect(200);
        Assert.Equal(("pending", 2, 0), (restored.Text("status"), restored.Number("step"), restored.Number("attempt")));
        Assert.Equal(JsonValueKind.Null, restored.Json.GetProperty("result").ValueKind);
        await run.RefusedAsync(() => run.CheckpointAsync(1, "{}"), 409, "SH-1001");
        (await run.CheckpointAsync(3, """{"again":3}""")).Expect(201);
        Assert.Equal("""{"again":3}""", (await run.GetAsync("/checkpoints/3")).Expect(200).Json.GetProperty("state").GetRawText());
        Assert.Equal("""{"step":5}""", (await run.GetAsync("/checkpoints/5")).Expect(200).Json.GetProperty("state").GetRawText());
        Assert.Equal("""{"step":2}""", (await run.GetAsync("/checkpoints/2")).Expect(200).Json.GetProperty("state").GetRawText());
        Assert.Equal(["0", "1", "2", "3", "4", "5", "3"], (await run.GetAsync("/checkpoints")).Each("step"));
        (await run.GetAsync("/checkpoints/9")).ExpectProblem(404, "SH-1007");
    }

    [Fact]
    public async Task Snapshots_are_named_once_listed_and_gone_when_deleted()
    {
        Execution run = await Execution.CreateAsync(_api);
        await run.RefusedAsync(() => run.PostAsync("/snapshots/none"), 409, "SH-1001");
        await run.WriteAsync(1, 3);
        foreach (string name in (string[])["c", "a", "b%2F"])
            (await run.PostAsync($"/snapshots/{name}?step=2")).Expect(201);
        await run.RefusedAsync(() => run.PostAsync("/snapshots/a"), 409, "SH-1001");
        await run.RefusedAsync(() => run.PostAsync("/snapshots/d?step=9"), 404, "SH-1007");
        Reply page = (await run.GetAsync("/snapshots?limit=2")).Expect(200);
        Assert.Equal(["a", "b/"], page.Each("name"));
        Assert.Equal(["c"], (await run.GetAsync($"/snapshots?limit=2&after={page.Text("next")}")).Each("name"));
        (await _api.DeleteAsync($"{run.Path}/snapshots/a")).Expect(200);
        (await _api.DeleteAsync($"{run.Path}/snapshots/a")).ExpectProblem(404, "SH-1007");
        await run.RefusedAsync(() => run.PostAsync("/restore", """{"snapshot":"a"}"""), 404, "SH-1007");
        await run.RefusedAsync(() => run.PostAsync("/restore", """{"snapshot":"c","step":1}"""), 400, "SH-1003");
        Assert.Equal(2, (await run.GetAsync("/snapshots")).Items.Count);
    }

    [Fact]
    public async Task Several_executions_commit_all_or_none()
    {
        Execution one = await Execution.CreateAsync(_api);
        Execution other = await Execution.CreateAsync(_api);
        string Body(int step) => $$"""{"checkpoints":[{"execution_id":"{{one.Id}}","step":1,"state":[1]},{"execution_id":"{{other.Id}}","step":{{step}},"state":[2]}]}""";
        Reply done = (await _api.PostAsync($"{Execution.All}/commit", Body(5))).Expect(201);
        Assert.Single(done.Json.GetProperty("checkpoints").EnumerateArray().Select(item => item.GetProperty("commit_ts").GetInt64()).Distinct());
        (await _api.PostAsync($"{Execution.All}/commit", Body(5))).Expect(200);
        await one.RefusedAsync(() => _api.PostAsync($"{Execution.All}/commit", Body(5).Replace("\"step\":1", "\"step\":2", StringComparison.Ordinal)
            .Replace("[2]", "[3]", StringComparison.Ordinal)), 409, "SH-1001");
        await one.RefusedAsync(() => _api.PostAsync($"{Execution.All}/commit", Body(6).Replace(other.Id, "nobody", StringComparison.Ordinal)), 404, "SH-1007");
        await one.RefusedAsync(() => _api.PostAsync($"{Execution.All}/commit", Body(6).Replace(other.Id, one.Id, StringComparison.Ordinal)), 400, "SH-1003");
        (await _api.PostAsync($"{Execution.All}/commit", """{"checkpoints":[]}""")).ExpectProblem(400, "SH-1003");
    }

    [Fact]
    public async Task The_feed_passes_executions_over()
    {
        Execution run = await Execution.CreateAsync(_api);
        long ts = (await run.CheckpointAsync(1, "{}")).Expect(201).Number("commit_ts");
        (await _api.PutAsync($"/v1/namespaces/default/agents/{run.Id}/state/k", "1")).Expect(200);
        Reply feed = (await _api.GetAsync($"/v1/feed?after={ts}")).Expect(200);
        Assert.Equal([run.Id], feed.Each("agent"));
        Assert.DoesNotContain(run.Id, (await _api.GetAsync($"/v1/feed?after=0&limit=1000")).Items
            .Where(item => item.GetProperty("commit_ts").GetInt64() <= ts).Select(item => item.GetProperty("agent").GetString()));
    }
}

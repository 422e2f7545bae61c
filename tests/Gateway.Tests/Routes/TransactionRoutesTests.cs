using System.Text.Json;
using Statehouse.Agents.Tests;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Routes;

public sealed class TransactionRoutesTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private const string All = "/v1/transactions";

    private readonly string _agent = NodeFixture.NewAgent();

    private ApiClient Api => server.Api;

    private string Name => _agent.Split('/')[^1];

    [Fact]
    public async Task It_reads_its_own_writes_and_others_see_them_after_the_commit_only()
    {
        string txn = await BeginAsync();
        Reply staged = (await Api.PostAsync($"{All}/{txn}/operations", Put("k", "\"mine\""))).Expect(200);
        Assert.Equal((txn, 1L), (staged.Text("txn_id"), staged.Number("staged")));

        Reply inside = (await Api.GetAsync(Inside(txn, "k"))).Expect(200);
        Assert.Equal(("\"mine\"", 1L), (inside.Json.GetProperty("value").GetRawText(), inside.Number("version")));
        Assert.False(inside.Has("commit_ts"));
        (await Api.GetAsync(_agent + "/state/k")).ExpectProblem(404, "SH-1007");

        Reply receipt = (await Api.PostAsync($"{All}/{txn}/commit", "")).Expect(200);
        Assert.Equal((txn, 1), (receipt.Text("txn_id"), receipt.Json.GetProperty("receipts").GetArrayLength()));
        Assert.Equal(txn, (await Api.GetAsync(_agent + "/commits/1")).Text("txn_id"));
        Assert.Equal("\"mine\"", (await Api.GetAsync(_agent + "/state/k")).Expect(200).Json.GetProperty("value").GetRawText());
    }

    [Fact]
    public async Task Committing_again_returns_the_same_receipts_and_writes_nothing()
    {
        string txn = await BeginAsync();
        await Api.PostAsync($"{All}/{txn}/operations", Put("k", "1"));
        Reply first = (await Api.PostAsync($"{All}/{txn}/commit", "{}")).Expect(200);
        Assert.Equal(first.Body, (await Api.PostAsync($"{All}/{txn}/commit", "")).Expect(200).Body);
        Assert.Equal(1, (await Api.GetAsync(_agent)).Number("version"));
    }

    [Fact]
    public async Task A_commit_is_refused_where_what_was_read_has_changed()
    {
        await Api.PutAsync(_agent + "/state/read", "1");
        string txn = await BeginAsync();
        (await Api.GetAsync(Inside(txn, "read"))).Expect(200);
        (await Api.PostAsync($"{All}/{txn}/operations", Put("k", "1"))).Expect(200);
        await Api.PutAsync(_agent + "/state/read", "2");

        (await Api.PostAsync($"{All}/{txn}/commit", "")).ExpectProblem(409, "SH-1001");

        (await Api.GetAsync(_agent + "/state/k")).ExpectProblem(404, "SH-1007");
        (await Api.PostAsync($"{All}/{txn}/commit", "")).ExpectProblem(404, "SH-1005");
    }

    [Fact]
    public async Task An_aborted_one_writes_nothing_and_is_unknown_from_then_on()
    {
        string txn = await BeginAsync();
        await Api.PostAsync($"{All}/{txn}/operations", Put("k", "1"));
        Assert.Equal("", (await Api.DeleteAsync($"{All}/{txn}")).Expect(204).Body);
        (await Api.DeleteAsync($"{All}/{txn}")).Expect(204);
        await AssertGoneAsync(Api, txn, 404, "SH-1005");
        (await Api.GetAsync(_agent)).ExpectProblem(404, "SH-1007");
    }

    [Fact]
    public async Task One_that_staged_nothing_commits_to_no_receipts()
    {
        Reply receipt = (await Api.PostAsync($"{All}/{await BeginAsync()}/commit", "")).Expect(200);
        Assert.Equal((0, 0L), (receipt.Json.GetProperty("receipts").GetArrayLength(), receipt.Number("commit_ts")));
    }

    [Fact]
    public async Task An_unknown_one_is_not_found() =>
        await AssertGoneAsync(Api, "019c1373-7c2e-7bd1-8b3f-0d6c1d1b2a3c", 404, "SH-1005");

    [Fact]
    public async Task One_that_ran_out_of_time_is_gone_and_wrote_nothing()
    {
        var clock = new ManualClock();
        await using Node node = await Node.StartAsync(clock: clock);
        Reply begun = (await node.Api.PostAsync(All, """{"timeout_ms":50}""")).Expect(201);
        string txn = begun.Text("txn_id");
        Assert.Equal((50L, "2026-01-01T00:00:00.050000Z"), (begun.Number("timeout_ms"), begun.Text("expires_at")));
        (await node.Api.PostAsync($"{All}/{txn}/operations", Put("k", "1"))).Expect(200);

        clock.Advance(TimeSpan.FromMilliseconds(51));

        await AssertGoneAsync(node.Api, txn, 410, "SH-1006");
        clock.Advance(TimeSpan.FromSeconds(1));
        await AssertGoneAsync(node.Api, txn, 410, "SH-1006");
        Assert.Equal(0, await node.Api.CountCommitsAsync());
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("600000", 600_000)]
    [InlineData("null", 30_000)]
    public async Task Its_timeout_is_as_asked_for(string asked, int timeoutMs) =>
        Assert.Equal(timeoutMs, (await Api.PostAsync(All, $$"""{"timeout_ms":{{asked}}}""")).Expect(201).Number("timeout_ms"));

    [Fact]
    public async Task A_refused_stage_stages_nothing_and_the_transaction_goes_on()
    {
        string txn = await BeginAsync();
        string agent = Name;
        (await Api.PostAsync($"{All}/{txn}/operations", $$"""
            {"operations":[{"namespace":"default","agent":"{{agent}}","op":"put","key":"a","value":1},{"namespace":"default","agent":"{{agent}}","op":"put","key":"","value":1}]}
            """)).ExpectProblem(400, "SH-1003", "operations[1].key");
        (await Api.GetAsync(Inside(txn, "a"))).ExpectProblem(404, "SH-1007");
        (await Api.PostAsync($"{All}/{txn}/operations", Put("b", "1"))).Expect(200);
        (await Api.PostAsync($"{All}/{txn}/commit", "")).Expect(200);
        Assert.Equal(["b"], (await Api.GetAsync(_agent + "/state")).Each("key"));
    }

    private async Task AssertGoneAsync(ApiClient api, string txn, int status, string code)
    {
        (await api.PostAsync($"{All}/{txn}/operations", Put("k", "1"))).ExpectProblem(status, code);
        (await api.GetAsync(Inside(txn, "k"))).ExpectProblem(status, code);
        (await api.PostAsync($"{All}/{txn}/commit", "")).ExpectProblem(status, code);
    }

    private async Task<string> BeginAsync() => (await Api.PostAsync(All, "")).Expect(201).Text("txn_id");

    private string Inside(string txn, string key) => $"{All}/{txn}{_agent[3..]}/state/{key}";

    private string Put(string key, string value) => JsonSerializer.Serialize(new
    {
        operations = new[] { new { @namespace = "default", agent = Name, op = "put", key, value = JsonDocument.Parse(value).RootElement } },
    });
}

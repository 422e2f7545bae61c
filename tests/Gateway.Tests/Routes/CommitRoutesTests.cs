using System.Text.Json;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Routes;

public sealed class CommitRoutesTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly string _agent = NodeFixture.NewAgent();

    private ApiClient Api => server.Api;

    private string Name => _agent.Split('/')[^1];

    [Fact]
    public async Task A_commit_is_one_version_of_the_agent_and_reads_back_with_what_it_did()
    {
        Reply receipt = (await Api.PostAsync(_agent + "/commits", """
            {"operations":[
              {"op":"put","key":"a","value":{"n":1.50},"if_version":0},
              {"op":"put","key":"a","value":[],"if_version":1},
              {"op":"delete","key":"b","if_version":null}],
             "if_agent_version":0,"idempotency_key":"c1","metadata":{"by":"é"}}
            """)).Expect(201);

        Reply commit = (await Api.GetAsync(_agent + "/commits/1")).Expect(200);

        Assert.Equal(1, receipt.Number("version"));
        foreach (string member in (string[])["version", "commit_ts", "time", "txn_id", "hash", "idempotency_key", "metadata"])
            Assert.Equal(receipt.Json.GetProperty(member).GetRawText(), commit.Json.GetProperty(member).GetRawText());
        Assert.Equal(
            """[{"op":"put","key":"a","value":{"n":1.50},"version":1},{"op":"put","key":"a","value":[],"version":2},{"op":"delete","key":"b","version":1}]""",
            commit.Json.GetProperty("operations").GetRawText());
    }

    [Fact]
    public async Task A_failed_precondition_of_one_operation_refuses_them_all()
    {
        await Api.PutAsync(_agent + "/state/a", "1");
        int before = await Api.CountCommitsAsync();

        (await Api.PostAsync(_agent + "/commits", """{"operations":[{"op":"put","key":"b","value":1},{"op":"put","key":"a","value":2,"if_version":0}]}"""))
            .ExpectProblem(409, "SH-1001");
        (await Api.PostAsync(_agent + "/commits", """{"operations":[{"op":"put","key":"b","value":1}],"if_agent_version":7}"""))
            .ExpectProblem(409, "SH-1001");

        Assert.Equal(before, await Api.CountCommitsAsync());
        (await Api.GetAsync(_agent + "/state/b")).ExpectProblem(404, "SH-1007");
    }

    [Fact]
    public async Task An_idempotency_key_may_stand_in_the_body_or_the_header_and_both_must_agree()
    {
        const string body = """{"operations":[{"op":"put","key":"a","value":1}],"idempotency_key":"k"}""";
        const string bare = """{"operations":[{"op":"put","key":"a","value":1}]}""";
        Reply first = (await Api.PostAsync(_agent + "/commits", body)).Expect(201);
        Reply repeat = (await Api.PostAsync(_agent + "/commits", bare, "Idempotency-Key: k")).Expect(201);
        Assert.Equal((first.Body, "true"), (repeat.Body, repeat.Header("Idempotent-Replayed")));
        (await Api.PostAsync(_agent + "/commits", body, "Idempotency-Key: other")).ExpectProblem(400, "SH-1003", "idempotency_key");
        (await Api.PostAsync(_agent + "/commits", bare.Replace("1", "2", StringComparison.Ordinal), "Idempotency-Key: k")).ExpectProblem(422, "SH-1002");
        Assert.Equal(1, (await Api.GetAsync(_agent)).Number("version"));
    }

    [Fact]
    public async Task History_pages_upwards_and_downwards_show_every_commit_once()
    {
        for (int i = 1; i <= 7; i++)
            await Api.PutAsync(_agent + "/state/k", $"{i}");

        Assert.Equal(["1", "2", "3", "4", "5", "6", "7"], await PagesAsync("limit=3", "from"));
        Assert.Equal(["7", "6", "5", "4", "3", "2", "1"], await PagesAsync("limit=3&order=desc", "to"));
        Assert.Equal(["3", "4"], (await Api.GetAsync(_agent + "/commits?from=3&to=4")).Expect(200).Each("version"));
        Assert.Equal(["4", "3"], (await Api.GetAsync(_agent + "/commits?from=3&to=4&order=desc")).Expect(200).Each("version"));
        Assert.Empty((await Api.GetAsync(_agent + "/commits?from=8")).Expect(200).Items);
    }

    [Fact]
    public async Task What_an_agent_does_not_have_is_not_found()
    {
        (await Api.GetAsync(_agent)).ExpectProblem(404, "SH-1007");
        (await Api.GetAsync(_agent + "/commits")).ExpectProblem(404, "SH-1007");
        (await Api.GetAsync(_agent + "/commits/1")).ExpectProblem(404, "SH-1007");
        await Api.PutAsync(_agent + "/state/k", "1");
        (await Api.GetAsync(_agent + "/commits/2")).ExpectProblem(404, "SH-1007");
    }

    [Fact]
    public async Task A_commit_over_several_agents_has_one_place_in_the_feed()
    {
        string other = Name + "-other";
        Reply receipt = (await Api.PostAsync("/v1/commits", Together(other, "1", ifAgentVersion: 0))).Expect(201);

        List<JsonElement> receipts = [.. receipt.Json.GetProperty("receipts").EnumerateArray()];
        Assert.Equal([Name, other], receipts.Select(each => each.GetProperty("agent").GetString()!));
        Assert.All(receipts, each => Assert.Equal(receipt.Number("commit_ts"), each.GetProperty("commit_ts").GetInt64()));
        Assert.All(receipts, each => Assert.Equal(receipt.Text("txn_id"), each.GetProperty("txn_id").GetString()));

        Reply repeat = (await Api.PostAsync("/v1/commits", Together(other, "1", ifAgentVersion: 0))).Expect(201);
        Assert.Equal((receipt.Body, "true"), (repeat.Body, repeat.Header("Idempotent-Replayed")));
        (await Api.PostAsync("/v1/commits", Together(other, "2", ifAgentVersion: 0))).ExpectProblem(422, "SH-1002");
    }

    [Fact]
    public async Task A_commit_over_several_agents_that_one_refuses_writes_to_none()
    {
        string other = Name + "-other";
        int before = await Api.CountCommitsAsync();
        (await Api.PostAsync("/v1/commits", Together(other, "1", ifAgentVersion: 5))).ExpectProblem(409, "SH-1001");
        Assert.Equal(before, await Api.CountCommitsAsync());
        (await Api.GetAsync(_agent)).ExpectProblem(404, "SH-1007");
    }

    private string Together(string other, string value, int ifAgentVersion) => $$"""
        {"commits":[
          {"namespace":"default","agent":"{{Name}}","operations":[{"op":"put","key":"k","value":{{value}}}]},
          {"namespace":"default","agent":"{{other}}","operations":[{"op":"put","key":"k","value":{{value}}}],"if_agent_version":{{ifAgentVersion}}}],
         "idempotency_key":"t"}
        """;

    private async Task<List<string>> PagesAsync(string query, string nextAs)
    {
        var versions = new List<string>();
        Reply page = (await Api.GetAsync($"{_agent}/commits?{query}")).Expect(200);
        versions.AddRange(page.Each("version"));
        while (page.Has("next"))
        {
            page = (await Api.GetAsync($"{_agent}/commits?{query}&{nextAs}={page.Number("next")}")).Expect(200);
            versions.AddRange(page.Each("version"));
        }
        return versions;
    }
}

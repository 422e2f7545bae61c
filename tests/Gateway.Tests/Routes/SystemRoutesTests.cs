using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Routes;

public sealed class SystemRoutesTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly string _agent = NodeFixture.NewAgent();

    private ApiClient Api => server.Api;

    [Fact]
    public async Task A_running_server_is_alive_and_ready_and_says_what_it_is()
    {
        Assert.Equal("ok", (await Api.GetAsync("/healthz")).Expect(200).Text("status"));
        Assert.Equal("ready", (await Api.GetAsync("/readyz")).Expect(200).Text("status"));
        Assert.Equal("v1", (await Api.GetAsync("/v1/version")).Expect(200).Text("api"));
    }

    [Fact]
    public async Task Every_problem_type_leads_to_a_page_of_its_code_and_docs_have_one_too()
    {
        foreach (ErrorRow row in ErrorMap.Rows)
        {
            Reply page = (await Api.GetAsync(ProblemJson.TypeOf(row.Code))).Expect(200);
            Assert.Equal((row.HttpStatus, row.Title), (page.Number("status"), page.Text("title")));
            Assert.True(File.Exists(Testing.Repository.PathOf($"docs{ProblemJson.TypeOf(row.Code)}.md")));
        }
        (await Api.GetAsync("/errors/SH-4242")).ExpectProblem(404, "SH-1007");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v1")]
    [InlineData("/v1/namespaces/default/agents/")]
    [InlineData("/v1/namespaces/default/agents/a/state/k/more")]
    [InlineData("/V1/version")]
    [InlineData("//v1/version")]
    [InlineData("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t")]
    public async Task A_path_that_no_route_has_is_a_problem_too(string target)
    {
        Reply reply = await Api.GetAsync(target);
        // An empty agent id is a route with a bad argument; the others are no route.
        if (target.EndsWith("agents/", StringComparison.Ordinal))
            reply.ExpectProblem(400, "SH-1003", "agent");
        else
            reply.ExpectProblem(404, "SH-1007");
    }

    [Theory]
    [InlineData("POST", "/healthz", "GET, HEAD")]
    [InlineData("PATCH", "/v1/namespaces/default/agents/a/state/k", "GET, HEAD, PUT, DELETE")]
    [InlineData("PUT", "/v1/namespaces/default/agents/a/commits", "POST, GET, HEAD")]
    [InlineData("GET", "/v1/transactions", "POST")]
    [InlineData("OPTIONS", "/v1/commits", "POST")]
    public async Task A_method_that_a_path_does_not_take_is_answered_with_those_that_it_does(string method, string target, string allow)
    {
        Reply reply = (await Api.SendAsync(method, target, null)).ExpectProblem(405, "SH-1003");
        Assert.Equal(allow.Split(", ").Order(), reply.Header("Allow")!.Split(", ").Order());
    }

    [Fact]
    public async Task The_callers_request_id_comes_back_where_it_cannot_hurt_a_log()
    {
        Assert.Equal("trace-1:a.b_c", (await Api.GetAsync("/healthz", "X-Request-Id: trace-1:a.b_c")).Header("X-Request-Id"));
        foreach (string hostile in (string[])["a b", "a\"b", new string('x', 129)])
        {
            string? given = (await Api.GetAsync("/healthz", "X-Request-Id: " + hostile)).Header("X-Request-Id");
            Assert.NotEqual(hostile, given);
            Assert.False(string.IsNullOrEmpty(given));
        }
    }

    [Fact]
    public async Task Agents_are_listed_in_byte_order_page_by_page()
    {
        string ns = "/v1/namespaces/list/agents";
        string[] names = ["a", "a/b", "b", "é", "\uFFFD", "😀"];
        foreach (string name in names.Reverse())
            (await Api.PutAsync($"{ns}/{Uri.EscapeDataString(name)}/state/k", "1")).Expect(200);

        var seen = new List<string>();
        Reply page = (await Api.GetAsync(ns + "?limit=2")).Expect(200);
        seen.AddRange(page.Each("agent"));
        while (page.Has("next"))
        {
            page = (await Api.GetAsync($"{ns}?limit=2&after={Uri.EscapeDataString(page.Text("next"))}")).Expect(200);
            seen.AddRange(page.Each("agent"));
        }
        Assert.Equal(names, seen);
        Assert.Equal(["a", "a/b"], (await Api.GetAsync(ns + "?prefix=a")).Each("agent"));
        Assert.Empty((await Api.GetAsync("/v1/namespaces/none/agents")).Expect(200).Items);
    }

    [Fact]
    public async Task The_head_counts_commits_and_live_keys()
    {
        await Api.PutAsync(_agent + "/state/a", "1");
        await Api.PutAsync(_agent + "/state/b", "1");
        Reply last = await Api.DeleteAsync(_agent + "/state/a");
        foreach (string query in (string[])["", "?consistency=strong", "?consistency=default"])
        {
            Reply head = (await Api.GetAsync(_agent + query)).Expect(200);
            Assert.Equal((3L, 1L, 1L), (head.Number("version"), head.Number("key_count"), head.Number("first_version")));
            Assert.Equal((last.Text("hash"), last.Text("time"), last.Number("commit_ts")), (head.Text("hash"), head.Text("time"), head.Number("commit_ts")));
            Assert.True(head.Number("bytes") > 0);
        }
    }
}

using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.BadInput;

/// <summary>No choice of characters makes two ids meet (I8), and what is no text is refused.</summary>
public sealed class HostileIdTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    /// <summary>Ids as they stand in a target, each a different one.</summary>
    private static readonly string[] Escaped =
    [
        "a", "A", "%20", "+", ".", "%2E%2E", "a%2Fb", "a%252Fb", "a%2fb%2f", "a:b", "%25", "%2525", "%01",
        "%F0%9F%98%80", "%C3%A9", "e%CC%81", "%22", "%5C", "a%0Ab", "%7F", "%EF%BF%BD", "a%3Fb", "a%23b", "state", "commits", "null",
    ];

    private ApiClient Api => server.Api;

    [Fact]
    public async Task Every_hostile_agent_id_is_an_agent_of_its_own()
    {
        string[] ids = Escaped;
        for (int i = 0; i < ids.Length; i++)
            (await Api.PutAsync($"/v1/namespaces/ids/agents/{ids[i]}/state/k", $"{i}")).Expect(200);
        for (int i = 0; i < ids.Length; i++)
        {
            Reply read = (await Api.GetAsync($"/v1/namespaces/ids/agents/{ids[i]}/state/k")).Expect(200);
            Assert.Equal((i, 1), (read.Json.GetProperty("value").GetInt32(), read.Number("agent_version")));
        }
        IEnumerable<string> listed = (await Api.GetAsync("/v1/namespaces/ids/agents")).Expect(200).Each("agent");
        Assert.Equal(ids.Select(Uri.UnescapeDataString).Order(), listed.Order());
    }

    [Fact]
    public async Task Every_hostile_key_is_a_key_of_its_own_and_reads_back_by_name()
    {
        string agent = NodeFixture.NewAgent();
        string[] keys = Escaped;
        for (int i = 0; i < keys.Length; i++)
            (await Api.PutAsync($"{agent}/state/{keys[i]}", $"{i}")).Expect(200);
        for (int i = 0; i < keys.Length; i++)
        {
            Reply read = (await Api.GetAsync($"{agent}/state/{keys[i]}")).Expect(200);
            Assert.Equal((i, Uri.UnescapeDataString(keys[i])), (read.Json.GetProperty("value").GetInt32(), read.Text("key")));
        }
    }

    [Fact]
    public async Task Two_agents_that_differ_only_in_where_a_separator_stands_never_meet()
    {
        (string Namespace, string Agent)[] pairs = [("a", "b%2Fc"), ("a%2Fb", "c"), ("a%2Fb%2Fc", "x"), ("a", "b:c"), ("a:b", "c"), ("ab", "c"), ("a", "bc")];
        for (int i = 0; i < pairs.Length; i++)
            (await Api.PutAsync($"/v1/namespaces/{pairs[i].Namespace}/agents/{pairs[i].Agent}/state/k", $"{i}")).Expect(200);
        for (int i = 0; i < pairs.Length; i++)
        {
            string agent = $"/v1/namespaces/{pairs[i].Namespace}/agents/{pairs[i].Agent}";
            Assert.Equal(i, (await Api.GetAsync(agent + "/state/k")).Expect(200).Json.GetProperty("value").GetInt32());
            Assert.Single((await Api.GetAsync(agent + "/commits")).Expect(200).Items);
        }
    }

    [Fact]
    public async Task A_raw_dot_segment_is_an_id_like_any_other()
    {
        RawReply put = await RawHttp.ExchangeAsync(server.Node.Address, "PUT /v1/namespaces/dots/agents/../state/.. HTTP/1.1\nContent-Length: 1\n\n7");
        Assert.Equal(200, put.Status);
        Assert.Equal("7", (await Api.GetAsync("/v1/namespaces/dots/agents/%2E%2E/state/%2e%2e")).Expect(200).Json.GetProperty("value").GetRawText());
    }

    [Fact]
    public async Task A_target_with_scheme_and_host_is_read_like_one_without()
    {
        RawReply put = await RawHttp.ExchangeAsync(
            server.Node.Address, $"PUT {server.Node.Address}v1/namespaces/proxied/agents/a%2Fb/state/k HTTP/1.1\nContent-Length: 1\n\n7");
        Assert.Equal(200, put.Status);
        (await Api.GetAsync("/v1/namespaces/proxied/agents/a%2Fb/state/k")).Expect(200);
    }

    [Theory]
    [InlineData("%")]
    [InlineData("a%2")]
    [InlineData("%zz")]
    [InlineData("%ED%A0%80")]
    [InlineData("%ED%B0%80x")]
    [InlineData("%C0%AF")]
    [InlineData("%FF")]
    [InlineData("%E2%82")]
    [InlineData("%F5%80%80%80")]
    public async Task What_is_no_text_is_refused_as_namespace_agent_and_key(string id)
    {
        int before = await Api.CountCommitsAsync();
        (await Api.PutAsync($"/v1/namespaces/{id}/agents/a/state/k", "1")).ExpectProblem(400, "SH-1003", "namespace");
        (await Api.PutAsync($"/v1/namespaces/n/agents/{id}/state/k", "1")).ExpectProblem(400, "SH-1003", "agent");
        (await Api.PutAsync($"/v1/namespaces/n/agents/a/state/{id}", "1")).ExpectProblem(400, "SH-1003", "key");
        Assert.Equal(before, await Api.CountCommitsAsync());
        (await Api.GetAsync("/readyz")).Expect(200);
    }

    [Theory]
    [InlineData("namespaces/a%00/agents/a/state/k")]
    [InlineData("namespaces/n/agents/%00/state/k")]
    [InlineData("namespaces/n/agents/a/state/k%00")]
    public async Task NUL_in_a_path_is_refused_by_the_HTTP_parser_itself(string path)
    {
        int before = await Api.CountCommitsAsync();
        RawReply reply = await RawHttp.ExchangeAsync(server.Node.Address, $"PUT /v1/{path} HTTP/1.1\nContent-Length: 1\n\n7");
        Assert.Equal(400, reply.Status);
        Assert.Equal(before, await Api.CountCommitsAsync());
    }

    [Theory]
    [InlineData("", 400, "SH-1003")]
    [InlineData("b", 200, null)]
    [InlineData("é", 200, null)]
    public async Task An_id_has_at_least_one_byte(string id, int status, string? code)
    {
        string escaped = Uri.EscapeDataString(id);
        foreach (Reply reply in (Reply[])[
            await Api.PutAsync($"/v1/namespaces/{escaped}/agents/a/state/k", "1"),
            await Api.PutAsync($"/v1/namespaces/n/agents/{escaped}/state/k", "1"),
            await Api.PutAsync($"{NodeFixture.NewAgent()}/state/{escaped}", "1")])
        {
            if (code is null)
                reply.Expect(status);
            else
                reply.ExpectProblem(status, code);
        }
    }

    [Theory]
    [InlineData("namespace", 128, "namespace_bytes_max")]
    [InlineData("agent", 512, "agent_id_bytes_max")]
    [InlineData("key", 1024, "key_bytes_max")]
    public async Task An_id_at_its_limit_is_taken_and_one_byte_more_is_refused(string field, int bytesMax, string setting)
    {
        // Three bytes of UTF-8 each, so that bytes count and not characters.
        string fits = string.Concat(Enumerable.Repeat("%E2%82%AC", bytesMax / 3)) + new string('x', bytesMax % 3);
        (await Api.PutAsync(Target(field, fits), "1")).Expect(200);
        int before = await Api.CountCommitsAsync();

        Reply refused = (await Api.PutAsync(Target(field, fits + "x"), "1")).ExpectProblem(413, "SH-1004", field);

        Assert.Equal($"limits.{setting}", refused.Json.GetProperty("details").GetProperty("setting").GetString());
        Assert.Equal(before, await Api.CountCommitsAsync());
    }

    private static string Target(string field, string id) =>
        $"/v1/namespaces/{(field == "namespace" ? id : "long")}/agents/{(field == "agent" ? id : "a")}/state/{(field == "key" ? id : "k")}";
}

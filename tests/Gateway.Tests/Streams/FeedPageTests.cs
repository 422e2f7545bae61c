using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Streams;

/// <summary>The feed and histories as pages.</summary>
public sealed class FeedPageTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly string _namespace = "pages-" + Guid.NewGuid().ToString("N");

    private Task<Reply> PutAsync(string agent, string value) =>
        server.Api.PutAsync($"/v1/namespaces/{_namespace}/agents/{agent}/state/k", value);

    [Fact]
    public async Task Pages_joined_by_next_show_all_commits_of_a_namespace_once_in_order()
    {
        for (int i = 0; i < 7; i++)
            (await PutAsync($"a{i % 3}", $"{i}")).Expect(200);
        (await server.Api.PutAsync(NodeFixture.NewAgent() + "/state/k", "1")).Expect(200);
        var values = new List<string>();
        long last = 0;
        string? after = "0";
        while (after is not null)
        {
            Reply page = (await server.Api.GetAsync($"/v1/feed?namespace={_namespace}&limit=2&after={after}")).Expect(200);
            Assert.All(page.Items, item => Assert.Equal(_namespace, item.GetProperty("namespace").GetString()));
            foreach (string commitTs in page.Each("commit_ts"))
                Assert.True(last < (last = long.Parse(commitTs, System.Globalization.CultureInfo.InvariantCulture)), $"{commitTs} is out of order");
            values.AddRange(page.Items.Select(item => item.GetProperty("operations")[0].GetProperty("value").ToString()));
            after = page.Has("next") ? page.Text("next") : null;
        }
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"{i}"), values);
    }

    [Fact]
    public async Task Through_at_the_end_is_where_a_later_poll_goes_on()
    {
        await PutAsync("a", "1");
        Reply end = (await server.Api.GetAsync($"/v1/feed?namespace={_namespace}")).Expect(200);
        Assert.False(end.Has("next"));
        Assert.Empty((await server.Api.GetAsync($"/v1/feed?namespace={_namespace}&after={end.Number("through")}")).Expect(200).Items);
        Reply put = await PutAsync("a", "2");
        Reply more = (await server.Api.GetAsync($"/v1/feed?namespace={_namespace}&after={end.Number("through")}")).Expect(200);
        Assert.Equal([$"{put.Number("commit_ts")}"], more.Each("commit_ts"));
    }

    [Fact]
    public async Task A_position_beyond_the_end_is_refused_rather_than_waited_for_in_silence()
    {
        Reply put = await PutAsync("a", "1");
        (await server.Api.GetAsync($"/v1/feed?after={put.Number("commit_ts")}")).Expect(200);
        (await server.Api.GetAsync($"/v1/feed?after={put.Number("commit_ts") + 1_000_000}")).ExpectProblem(400, "SH-1003", "after");
        (await server.Api.GetAsync("/v1/feed?after=9223372036854775807")).ExpectProblem(400, "SH-1003", "after");
    }

    [Fact]
    public async Task A_history_of_large_commits_comes_in_pages_that_memory_can_hold()
    {
        string agent = NodeFixture.NewAgent();
        string large = $"\"{new string('x', 900_000)}\"";
        for (int i = 0; i < 20; i++)
            (await server.Api.PutAsync(agent + "/state/k", large)).Expect(200);
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), await AllVersionsAsync(agent, "order=asc", "from"));
        Assert.Equal(Enumerable.Range(1, 20).Select(i => 21L - i), await AllVersionsAsync(agent, "order=desc", "to"));
    }

    private async Task<List<long>> AllVersionsAsync(string agent, string query, string nextAs)
    {
        var versions = new List<long>();
        string next = "";
        while (true)
        {
            Reply page = (await server.Api.GetAsync($"{agent}/commits?{query}&limit=1000{next}")).Expect(200);
            Assert.InRange(page.Body.Length, 1, 10_000_000);
            versions.AddRange(page.Items.Select(item => item.GetProperty("version").GetInt64()));
            if (!page.Has("next"))
                return versions;
            next = $"&{nextAs}={page.Number("next")}";
        }
    }
}

using System.Globalization;
using System.Text.Json;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Sse;

/// <summary>The feed, as pages and as a stream, over transactions of three agents each, in a namespace of the test's own.</summary>
public sealed class FeedReconnectTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private const int Agents = 3;

    private static int s_namespaces;

    private readonly string _namespace = $"feed-{Interlocked.Increment(ref s_namespaces)}";

    private ApiClient Api => server.Api;

    private string Feed => "/v1/feed?namespace=" + _namespace;

    [Fact]
    public async Task Pages_show_every_commit_once_in_order_and_never_split_a_transaction()
    {
        await WriteAsync(5);
        var commits = new List<string>();
        string? after = "0";
        while (after is not null)
        {
            Reply page = (await Api.GetAsync($"{Feed}&limit=4&after={after}")).Expect(200);
            Assert.True(page.Items.Count % Agents == 0, $"{page.Items.Count} items");
            commits.AddRange(page.Items.Select(Shown));
            after = page.Has("next") ? page.Text("next") : null;
        }
        Assert.Equal(Expected(5), commits);
    }

    [Fact]
    public async Task Through_goes_on_where_the_end_was()
    {
        await WriteAsync(1);
        long through = (await Api.GetAsync(Feed + "&limit=1000")).Number("through");
        Assert.Empty((await Api.GetAsync($"{Feed}&after={through}")).Expect(200).Items);
        await WriteAsync(1);
        Assert.Equal(["2", "2", "2"], (await Api.GetAsync($"{Feed}&after={through}")).Expect(200).Each("version"));
    }

    [Fact]
    public async Task A_follower_that_reconnects_by_its_last_event_id_sees_every_commit_once()
    {
        const int transactions = 14;
        Task writing = WriteAsync(transactions);
        var events = new List<ServerEvent>();
        // Four is no multiple of three: most breaks are inside of a transaction.
        while (events.Count < transactions * Agents)
        {
            string[] resume = events.Count == 0 ? [] : [$"Last-Event-ID: {events[^1].Id}"];
            await using EventReader stream = await Api.FollowAsync(Feed, resume);
            events.AddRange(await stream.ReadCommitsAsync(Math.Min(4, transactions * Agents - events.Count)));
        }
        await writing;
        Assert.Equal(Expected(transactions), events.Select(each => Shown(each.Json)));
    }

    [Fact]
    public async Task An_event_id_goes_on_as_the_after_of_a_page_too()
    {
        await WriteAsync(2);
        await using EventReader stream = await Api.FollowAsync(Feed);
        List<ServerEvent> events = await stream.ReadCommitsAsync(Agents * 2);
        for (int i = 0; i < events.Count; i++)
        {
            Reply rest = (await Api.GetAsync($"{Feed}&after={events[i].Id}")).Expect(200);
            Assert.Equal(Expected(2).Skip(i + 1), rest.Items.Select(Shown));
        }
    }

    [Fact]
    public async Task With_a_namespace_only_its_commits_are_shown_and_without_one_all()
    {
        await WriteAsync(1);
        (await Api.PutAsync($"/v1/namespaces/{_namespace}-other/agents/a/state/k", "1")).Expect(200);
        Assert.Contains(_namespace + "-other", (await Api.GetAsync("/v1/feed?limit=1000")).Expect(200).Each("namespace"));
        Assert.Equal([_namespace, _namespace, _namespace], (await Api.GetAsync(Feed)).Expect(200).Each("namespace"));
    }

    [Theory]
    [InlineData("/v1/feed", "x", "Last-Event-ID")]
    [InlineData("/v1/feed?limit=5", null, "limit")]
    public async Task What_cannot_be_followed_is_a_plain_problem(string target, string? lastEventId, string field)
    {
        string[] headers = lastEventId is null ? [] : ["Last-Event-ID: " + lastEventId];
        (await Api.GetAsync(target, ["Accept: text/event-stream", .. headers])).ExpectProblem(400, "SH-1003", field);
    }

    private async Task WriteAsync(int transactions)
    {
        IEnumerable<string> commits = Enumerable.Range(0, Agents).Select(agent =>
            $$"""{"namespace":"{{_namespace}}","agent":"{{agent}}","operations":[{"op":"put","key":"k","value":1}]}""");
        for (int i = 0; i < transactions; i++)
            (await Api.PostAsync("/v1/commits", $"{{\"commits\":[{string.Join(',', commits)}]}}")).Expect(201);
    }

    private static IEnumerable<string> Expected(int transactions) =>
        from version in Enumerable.Range(1, transactions)
        from agent in Enumerable.Range(0, Agents)
        select string.Create(CultureInfo.InvariantCulture, $"{agent}@{version}");

    private static string Shown(JsonElement item) => $"{item.GetProperty("agent").GetString()}@{item.GetProperty("version").GetRawText()}";
}

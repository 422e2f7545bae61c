using System.Globalization;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Sse;

public sealed class CommitStreamTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly string _agent = NodeFixture.NewAgent();

    private ApiClient Api => server.Api;

    [Fact]
    public async Task It_replays_what_was_and_then_shows_what_comes()
    {
        await WriteAsync(1, 2);
        await using EventReader stream = await Api.FollowAsync(_agent + "/commits");
        await stream.ReadCommitsAsync(2);
        await WriteAsync(3, 3);

        ServerEvent third = await stream.ReadCommitAsync();

        Assert.Equal("3", third.Id);
        Assert.Equal((await Api.GetAsync(_agent + "/commits/3")).Body, third.Data);
    }

    [Fact]
    public async Task A_follower_that_reconnects_by_its_last_event_id_sees_every_commit_once()
    {
        const int commits = 40;
        Task writing = WriteAsync(1, commits);
        var ids = new List<string?>();
        while (ids.Count < commits)
        {
            string[] resume = ids.Count == 0 ? [] : [$"Last-Event-ID: {ids[^1]}"];
            await using EventReader stream = await Api.FollowAsync(_agent + "/commits", resume);
            ids.AddRange((await stream.ReadCommitsAsync(Math.Min(7, commits - ids.Count))).Select(each => each.Id));
        }
        await writing;
        Assert.Equal(Numbers(commits), ids);
    }

    [Theory]
    [InlineData("?from=2", null, "2")]
    [InlineData("?from=0", null, "1")]
    [InlineData("?from=1", "2", "3")]
    [InlineData("", "0", "1")]
    public async Task It_starts_where_it_was_asked_to(string query, string? lastEventId, string first)
    {
        await WriteAsync(1, 3);
        await using EventReader stream = await Api.FollowAsync(_agent + "/commits" + query, Resume(lastEventId));
        Assert.Equal(first, (await stream.ReadCommitAsync()).Id);
    }

    [Theory]
    [InlineData("?from=9", null, "from")]
    [InlineData("", "3", "Last-Event-ID")]
    [InlineData("", "-1", "Last-Event-ID")]
    [InlineData("", "1.1", "Last-Event-ID")]
    [InlineData("", "9223372036854775807", "Last-Event-ID")]
    [InlineData("?limit=1", null, "limit")]
    [InlineData("?to=1", null, "to")]
    [InlineData("?order=asc", null, "order")]
    public async Task What_cannot_be_followed_is_a_plain_problem(string query, string? lastEventId, string field)
    {
        await WriteAsync(1, 2);
        (await Api.GetAsync(_agent + "/commits" + query, ["Accept: text/event-stream", .. Resume(lastEventId)])).ExpectProblem(400, "SH-1003", field);
    }

    [Fact]
    public async Task An_agent_without_a_commit_can_be_waited_for()
    {
        await using EventReader stream = await Api.FollowAsync(_agent + "/commits");
        await stream.WaitForCommentsAsync(1);
        await WriteAsync(1, 1);
        Assert.Equal("1", (await stream.ReadCommitAsync()).Id);
    }

    [Theory]
    [InlineData("{\n  \"a\": 1,\r\n  \"b\": 2\n}", "{\n  \"a\": 1,\n  \"b\": 2\n}")]
    [InlineData("[1,\r2]", "[1,\n2]")]
    public async Task A_value_with_line_breaks_arrives_whole(string value, string arrived)
    {
        (await Api.PutAsync(_agent + "/state/k", value)).Expect(200);
        await using EventReader stream = await Api.FollowAsync(_agent + "/commits");
        Assert.Equal(arrived, (await stream.ReadCommitAsync()).Json.GetProperty("operations")[0].GetProperty("value").GetRawText());
    }

    [Fact]
    public async Task A_quiet_stream_is_kept_open_by_comments()
    {
        await using Node node = await Node.StartAsync(options: new GatewayOptions { StreamHeartbeat = TimeSpan.FromMilliseconds(20) });
        await using EventReader stream = await node.Api.FollowAsync(_agent + "/commits");
        await stream.WaitForCommentsAsync(4);
        (await node.Api.PutAsync(_agent + "/state/k", "1")).Expect(200);
        Assert.Equal("1", (await stream.ReadCommitAsync()).Id);
    }

    [Fact]
    public async Task A_reader_that_does_not_read_holds_nobody_up_and_still_gets_everything()
    {
        const int commits = 40;
        string large = $"\"{new string('x', 500_000)}\"";
        await using EventReader idle = await Api.FollowAsync(_agent + "/commits");
        for (int i = 0; i < commits; i++)
            (await Api.PutAsync(_agent + "/state/k", large)).Expect(200);

        List<ServerEvent> events = await idle.ReadCommitsAsync(commits);

        Assert.Equal(Numbers(commits), events.Select(each => each.Id));
        Assert.All(events, each => Assert.Contains(large, each.Data, StringComparison.Ordinal));
    }

    private static string[] Resume(string? lastEventId) => lastEventId is null ? [] : ["Last-Event-ID: " + lastEventId];

    private static IEnumerable<string> Numbers(int count) => Enumerable.Range(1, count).Select(i => i.ToString(CultureInfo.InvariantCulture));

    private async Task WriteAsync(int first, int last)
    {
        for (int i = first; i <= last; i++)
            (await Api.PutAsync(_agent + "/state/k", $"{i}")).Expect(200);
    }
}

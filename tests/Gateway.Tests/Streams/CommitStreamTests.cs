using System.Globalization;
using System.Text.Json;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Streams;

public sealed class CommitStreamTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly string _agent = NodeFixture.NewAgent();

    private string Commits => _agent + "/commits";

    private async Task PutManyAsync(int from, int count)
    {
        for (int i = from; i < from + count; i++)
            (await server.Api.PutAsync(_agent + "/state/n", $"{i}")).Expect(200);
    }

    [Fact]
    public async Task A_stream_replays_and_then_follows_with_the_commits_as_they_stand()
    {
        await PutManyAsync(1, 3);
        await using EventReader stream = await server.Api.FollowAsync(Commits);
        List<ServerEvent> replayed = await stream.ReadCommitsAsync(3);
        await PutManyAsync(4, 2);
        List<ServerEvent> followed = await stream.ReadCommitsAsync(2);

        ServerEvent[] all = [.. replayed, .. followed];
        Assert.Equal(["1", "2", "3", "4", "5"], all.Select(each => each.Id));
        Assert.All(all, each => Assert.Equal("commit", each.Type));
        Assert.Equal((await server.Api.GetAsync(Commits + "/5")).Body, all[4].Data);
    }

    [Fact]
    public async Task An_agent_without_commits_can_be_waited_for()
    {
        await using EventReader stream = await server.Api.FollowAsync(Commits);
        await PutManyAsync(1, 1);
        Assert.Equal("1", (await stream.ReadAsync())!.Id);
    }

    [Fact]
    public async Task Who_reconnects_with_the_last_event_id_sees_every_commit_once()
    {
        const int total = 200;
        Task writing = PutManyAsync(1, total);
        var seen = new List<string>();
        string? last = null;
        while (seen.Count < total)
        {
            await using EventReader stream = await server.Api.FollowAsync(Commits, LastSeen(last));
            // Breaks off after a few events, in the middle of whatever the server is sending.
            foreach (ServerEvent each in await stream.ReadCommitsAsync(Math.Min(17, total - seen.Count)))
            {
                Assert.Equal(each.Id, JsonDocument.Parse(each.Data).RootElement.GetProperty("operations")[0].GetProperty("value").ToString());
                seen.Add(last = each.Id!);
            }
        }
        await writing;
        Assert.Equal(Enumerable.Range(1, total).Select(i => i.ToString(CultureInfo.InvariantCulture)), seen);
    }

    [Fact]
    public async Task A_stream_starts_where_it_is_asked_to()
    {
        await PutManyAsync(1, 5);
        await using EventReader fromThree = await server.Api.FollowAsync(Commits + "?from=3");
        Assert.Equal("3", (await fromThree.ReadAsync())!.Id);
        await using EventReader resumed = await server.Api.FollowAsync(Commits + "?from=1", "Last-Event-ID: 4");
        Assert.Equal("5", (await resumed.ReadAsync())!.Id);
        await using EventReader next = await server.Api.FollowAsync(Commits, "Last-Event-ID: 5");
        await PutManyAsync(6, 1);
        Assert.Equal("6", (await next.ReadAsync())!.Id);
    }

    [Fact]
    public async Task A_value_with_line_breaks_arrives_whole()
    {
        (await server.Api.PutAsync(_agent + "/state/n", "{\n\"a\":\r\n[1,\r2]}")).Expect(200);
        await PutManyAsync(2, 1);
        await using EventReader stream = await server.Api.FollowAsync(Commits);
        List<ServerEvent> events = await stream.ReadCommitsAsync(2);
        JsonElement value = JsonDocument.Parse(events[0].Data).RootElement.GetProperty("operations")[0].GetProperty("value");
        Assert.Equal(2, value.GetProperty("a")[1].GetInt32());
        Assert.Contains("{\n\"a\":\n[1,\n2]}", events[0].Data, StringComparison.Ordinal);
        Assert.Equal("2", events[1].Id);
    }

    [Theory]
    [InlineData("?limit=1", null, "limit")]
    [InlineData("?to=1", null, "to")]
    [InlineData("?order=asc", null, "order")]
    [InlineData("?from=4", null, "from")]
    [InlineData("?from=9223372036854775807", null, "from")]
    [InlineData("", "3", "Last-Event-ID")]
    [InlineData("", "9223372036854775807", "Last-Event-ID")]
    [InlineData("", "x", "Last-Event-ID")]
    [InlineData("", "-1", "Last-Event-ID")]
    public async Task What_cannot_be_followed_is_a_plain_error(string query, string? lastEventId, string field)
    {
        await PutManyAsync(1, 2);
        string[] headers = lastEventId is null
            ? ["Accept: text/event-stream"]
            : ["Accept: text/event-stream", $"Last-Event-ID: {lastEventId}"];
        (await server.Api.GetAsync(Commits + query, headers)).ExpectProblem(400, "SH-1003", field);
    }

    [Fact]
    public async Task A_quiet_stream_beats_and_still_delivers()
    {
        await using Node quick = await Node.StartAsync(
            options: new GatewayOptions { StreamHeartbeat = TimeSpan.FromMilliseconds(20) });
        await using EventReader stream = await quick.Api.FollowAsync(Commits);
        await stream.WaitForCommentsAsync(4);
        (await quick.Api.PutAsync(_agent + "/state/n", "1")).Expect(200);
        Assert.Equal("1", (await stream.ReadAsync())!.Id);
    }

    [Fact]
    public async Task Streams_end_when_the_server_stops_and_do_not_hold_it_up()
    {
        await using Node own = await Node.StartAsync();
        (await own.Api.PutAsync(_agent + "/state/n", "1")).Expect(200);
        await using EventReader commits = await own.Api.FollowAsync(Commits);
        await using EventReader feed = await own.Api.FollowAsync("/v1/feed");
        Assert.NotNull(await commits.ReadAsync());
        Assert.NotNull(await feed.ReadAsync());
        // Far less than the 20 s after which a stop cuts off what still runs.
        await own.StopAsync().WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Null(await commits.ReadAsync());
        Assert.Null(await feed.ReadAsync());
    }

    [Fact]
    public async Task A_client_that_goes_makes_room_for_another_stream()
    {
        await using Node own = await Node.StartAsync(options: new GatewayOptions { StreamsMax = 1 });
        (await own.Api.PutAsync(_agent + "/state/n", "1")).Expect(200);
        await using (EventReader first = await own.Api.FollowAsync(Commits))
        {
            await first.ReadCommitAsync();
            Reply refused = (await own.Api.GetAsync(Commits, "Accept: text/event-stream")).ExpectProblem(429, "SH-2003");
            Assert.Equal("1", refused.Header("Retry-After"));
            (await own.Api.PutAsync(_agent + "/state/n", "2")).Expect(200);
            Assert.Equal("2", (await first.ReadCommitAsync()).Id);
        }
        await using EventReader next = await FollowWhenThereIsRoomAsync(own);
        await next.ReadCommitAsync();
    }

    /// <summary>The server learns that a client has gone when it next writes to it, so room is made a little later.</summary>
    private async Task<EventReader> FollowWhenThereIsRoomAsync(Node node)
    {
        using var bounded = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            try
            {
                return await node.Api.FollowAsync(Commits);
            }
            catch (Xunit.Sdk.XunitException refused) when (refused.Message.Contains("SH-2003", StringComparison.Ordinal) && !bounded.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
            }
        }
    }

    [Fact]
    public async Task A_reader_that_does_not_read_holds_back_neither_writers_nor_other_readers()
    {
        await using RawHttp idle = await RawHttp.ConnectAsync(server.Node.Address);
        await idle.SendAsync($"GET {Commits} HTTP/1.1\nHost: t\nAccept: text/event-stream\n\n");
        string large = $"\"{new string('x', 500_000)}\"";
        for (int i = 0; i < 40; i++)
            (await server.Api.PutAsync(_agent + "/state/n", large)).Expect(200);
        await using EventReader reader = await server.Api.FollowAsync(Commits);
        Assert.Equal(40, (await reader.ReadCommitsAsync(40)).Count);
    }

    private static string[] LastSeen(string? id) => id is null ? [] : ["Last-Event-ID: " + id];
}

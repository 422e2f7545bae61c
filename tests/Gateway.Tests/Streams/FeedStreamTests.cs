using System.Text.Json;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Streams;

public sealed class FeedStreamTests(NodeFixture server) : IClassFixture<NodeFixture>
{
    private readonly string _namespace = "feed-" + Guid.NewGuid().ToString("N");

    private string Feed => $"/v1/feed?namespace={_namespace}";

    private async Task<long> CommitAsync(params string[] agents)
    {
        string commits = string.Join(',', agents.Select(agent =>
            $$"""{"namespace":"{{_namespace}}","agent":"{{agent}}","operations":[{"op":"put","key":"k","value":1}]}"""));
        return (await server.Api.PostAsync("/v1/commits", $$"""{"commits":[{{commits}}]}""")).Expect(201).Number("commit_ts");
    }

    [Fact]
    public async Task The_feed_follows_and_only_the_last_commit_of_a_transaction_has_a_plain_id()
    {
        long alone = await CommitAsync("a");
        await using EventReader stream = await server.Api.FollowAsync(Feed);
        Assert.Equal($"{alone}", (await stream.ReadAsync())!.Id);
        long together = await CommitAsync("a", "b", "c");
        List<ServerEvent> events = await stream.ReadCommitsAsync(3);
        Assert.Equal([$"{together}.0", $"{together}.1", $"{together}"], events.Select(each => each.Id));
        Assert.Equal(["a", "b", "c"], events.Select(each => JsonDocument.Parse(each.Data).RootElement.GetProperty("agent").GetString()));
    }

    [Fact]
    public async Task Who_reconnects_anywhere_sees_every_commit_once()
    {
        for (int i = 0; i < 60; i++)
            await CommitAsync("a", "b", "c");
        var seen = new List<(string Id, string Commit)>();
        string? last = null;
        int step = 0;
        while (seen.Count < 180)
        {
            await using EventReader stream = await server.Api.FollowAsync(Feed, LastSeen(last));
            // 1, 2, 4, 5, 7, 8, … events at a time: breaks off at every place inside a transaction.
            foreach (ServerEvent each in await stream.ReadCommitsAsync(Math.Min(1 + step++ % 7, 180 - seen.Count)))
            {
                JsonElement commit = JsonDocument.Parse(each.Data).RootElement;
                seen.Add((last = each.Id!, $"{commit.GetProperty("agent")}@{commit.GetProperty("version")}"));
            }
        }
        IEnumerable<string> expected = Enumerable.Range(1, 60).SelectMany(i => (string[])[$"a@{i}", $"b@{i}", $"c@{i}"]);
        Assert.Equal(expected, seen.Select(each => each.Commit));
    }

    [Fact]
    public async Task Another_namespace_is_not_seen_and_does_not_move_the_reader_past_its_own()
    {
        await using EventReader stream = await server.Api.FollowAsync(Feed);
        for (int i = 0; i < 5; i++)
            await server.Api.PutAsync(NodeFixture.NewAgent() + "/state/k", "1");
        long mine = await CommitAsync("a");
        Assert.Equal($"{mine}", (await stream.ReadAsync())!.Id);
    }

    [Fact]
    public async Task A_position_that_the_feed_never_gave_out_is_a_plain_error()
    {
        await CommitAsync("a");
        foreach (string id in (string[])["9223372036854775807", "9000000000000000000.3", "x", "1.", "-1"])
            (await server.Api.GetAsync(Feed, "Accept: text/event-stream", $"Last-Event-ID: {id}")).ExpectProblem(400, "SH-1003", "Last-Event-ID");
        (await server.Api.GetAsync(Feed + "&limit=1", "Accept: text/event-stream")).ExpectProblem(400, "SH-1003", "limit");
        (await server.Api.GetAsync(Feed + "&after=9000000000000000000", "Accept: text/event-stream")).ExpectProblem(400, "SH-1003", "after");
    }

    private static string[] LastSeen(string? id) => id is null ? [] : ["Last-Event-ID: " + id];
}

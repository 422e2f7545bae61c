using System.Diagnostics;
using System.Globalization;
using Statehouse.FrontDoors.Tests.Fuzzing;
using Statehouse.FrontDoors.Tests.Grpc;
using Statehouse.Gateway;
using Statehouse.Testing;
using Statehouse.V1;

namespace Statehouse.FrontDoors.Tests.Load;

/// <summary>Followers that read nothing while others write.</summary>
public sealed class StalledFollowersTests
{
    private const int Followers = 200;
    private const int Replays = 40;
    private const int Woken = 12;
    private const int WokenReplays = 5;
    private const int Writers = 4;
    private const int CommitsBefore = 100;

    /// <summary>Beyond what a connection's buffers take: what 200 followers have not read by then would not fit the heap.</summary>
    private const int CommitsDuring = 1000;
    private const int ValueBytes = 8 * 1024;
    private const long HeapBytesMax = 768L << 20;
    private const long PeakBytesMax = HeapBytesMax + (256L << 20);

    private static readonly TimeSpan WriteBound = TimeSpan.FromSeconds(10);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Followers_that_do_not_read_cost_little_and_slow_nobody_and_see_each_commit_once_when_they_wake()
    {
        await using ServerProcess server = BackPressureTests.BoundedServer(HeapBytesMax);
        await server.StartAsync(Cancelled);
        await server.ExpectServiceAsync();
        TimeSpan alone = await WriteAsync(server, CommitsBefore);

        EventFollower[] followers =
        [
            .. Enumerable.Range(0, Followers).Select(i => new EventFollower(
                server, i % 2 == 0 ? "/v1/namespaces/load/agents/hot/commits" : "/v1/feed?namespace=load")),
        ];
        await Parallel.ForEachAsync(followers, Cancelled, async (follower, _) => await follower.OpenAsync());
        using var connection = new GrpcConnection(server);
        HttpResponseMessage[] replays =
            await Task.WhenAll(Enumerable.Range(0, Replays).Select(_ => connection.StartAsync("Replay", new ReplayRequest { Namespace = "load", AgentId = "hot" })));
        await WriteAsync(server, CommitsDuring / 2);
        TimeSpan watched = await WriteAsync(server, CommitsDuring / 2);

        TestContext.Current.TestOutputHelper?.WriteLine($"median of a write: {alone.TotalMilliseconds:0.0} ms alone, {watched.TotalMilliseconds:0.0} ms beside followers that do not read");
        Assert.InRange(watched, TimeSpan.Zero, (20 * alone) + TimeSpan.FromMilliseconds(200));
        server.ExpectPeakBelow(PeakBytesMax);
        await Task.WhenAll(followers.Take(Woken).Select(follower => follower.ReadThroughAsync(CommitsBefore + CommitsDuring)));
        TestContext.Current.TestOutputHelper?.WriteLine($"{followers.Sum(follower => follower.Ended)} streams had been ended by the server");
        foreach (HttpResponseMessage replay in replays.Take(WokenReplays))
            await ExpectReplayAsync(replay);
        foreach (IDisposable each in (IEnumerable<IDisposable>)[.. followers, .. replays])
            each.Dispose();
        await server.ExpectServiceAsync();
        server.ExpectNoErrorLogged();
        server.ExpectPeakBelow(PeakBytesMax);
    }

    /// <summary>So many commits of one agent, by a few writers; each of them within the bound.</summary>
    /// <returns>The median time of one.</returns>
    private static async Task<TimeSpan> WriteAsync(ServerProcess server, int commits)
    {
        string value = $"\"{new string('x', ValueBytes)}\"";
        var took = new TimeSpan[commits];
        await Parallel.ForEachAsync(Enumerable.Range(0, commits), new ParallelOptions { MaxDegreeOfParallelism = Writers, CancellationToken = Cancelled }, async (i, _) =>
        {
            long started = Stopwatch.GetTimestamp();
            string key = string.Create(CultureInfo.InvariantCulture, $"k{i % Writers}");
            using HttpResponseMessage reply = await PutAsync(server, "/v1/namespaces/load/agents/hot/state/" + key, value);
            Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync(Cancelled));
            took[i] = Stopwatch.GetElapsedTime(started);
        });
        Assert.InRange(took.Max(), TimeSpan.Zero, WriteBound);
        return took.Order().ElementAt(commits / 2);
    }

    private static async Task<HttpResponseMessage> PutAsync(ServerProcess server, string path, string value)
    {
        try
        {
            return await server.Http.PutAsync(path, new StringContent(value), Cancelled);
        }
        catch (HttpRequestException broken)
        {
            // Whether it lives is what this test asks; what it said last tells why not.
            throw new InvalidOperationException($"The server answers no more:\n{server.Process.Output}", broken);
        }
    }

    /// <summary>A replay that is read late shows all that there was when it began, each commit once, in order, and ends well.</summary>
    private static async Task ExpectReplayAsync(HttpResponseMessage replay)
    {
        byte[] body = await replay.Content.ReadAsByteArrayAsync(Cancelled);
        ulong last = 0;
        int count = 0;
        for (int at = 0; at < body.Length; count++)
        {
            int length = GrpcConnection.LengthOf(body.AsSpan(at, GrpcConnection.PrefixBytes));
            ReplayEvent commit = ReplayEvent.Parser.ParseFrom(body, at + GrpcConnection.PrefixBytes, length);
            Assert.InRange(commit.CommitTs, last + 1, ulong.MaxValue);
            last = commit.CommitTs;
            at += GrpcConnection.PrefixBytes + length;
        }
        Assert.InRange(count, CommitsBefore, CommitsBefore + CommitsDuring);
        Assert.Equal(GrpcStatus.Ok, GrpcConnection.ReplyOf(replay, []).Status);
    }
}

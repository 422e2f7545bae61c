using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Statehouse.Cli.Tests;

public sealed class FollowTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_follower_of_an_agent_sees_every_commit_once_over_a_killed_and_restarted_server()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        var ctl = new Ctl($"http://{server.Address}");
        await ctl.OkAsync("put", "a", "k", "1");
        await ctl.OkAsync("put", "a", "k", "2");
        await using ChildProcess tail = ctl.Follow("tail", "a", "-n", "1", "-f", "--json");
        await SawVersionAsync(tail, 2);
        for (int version = 3; version <= 6; version++)
        {
            await server.KillAsync();
            await server.StartAsync(Cancelled);
            await ctl.OkAsync("put", "a", "k", $"{version}");
            await SawVersionAsync(tail, version);
        }
        Assert.Equal(130, await InterruptAsync(tail));
        Assert.Equal([2, 3, 4, 5, 6], Versions(tail.Output));
        Assert.DoesNotContain("   at ", tail.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_follower_of_the_feed_sees_every_commit_once_over_a_killed_and_restarted_server()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        var ctl = new Ctl($"http://{server.Address}");
        await using ChildProcess feed = ctl.Follow("feed", "-f");
        for (int i = 1; i <= 3; i++)
        {
            await ctl.OkAsync("put", $"agent-{i}", "k", $"{i}");
            await feed.WaitForOutputAsync(new Regex($"agent=agent-{i} "), Bound, Cancelled);
            await server.KillAsync();
            await server.StartAsync(Cancelled);
        }
        Assert.Equal(130, await InterruptAsync(feed));
        Assert.Equal(3, new Regex("WRITE").Count(feed.Output));
    }

    [Fact]
    public async Task An_agent_without_a_commit_can_be_waited_for()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        var ctl = new Ctl($"http://{server.Address}");
        await using ChildProcess tail = ctl.Follow("tail", "to-come", "-f", "--json");
        await ctl.OkAsync("put", "to-come", "k", "1");
        await SawVersionAsync(tail, 1);
    }

    [Fact]
    public async Task A_server_that_stays_away_ends_a_follower_with_3_after_its_bound()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        var ctl = new Ctl($"http://{server.Address}");
        await ctl.OkAsync("put", "a", "k", "1");
        await using ChildProcess tail = ctl.Follow("tail", "a", "-f", "--json", "--retry-for", "1");
        await SawVersionAsync(tail, 1);
        await server.KillAsync();
        Assert.Equal(3, await tail.WaitForExitAsync(Bound, Cancelled));
        Assert.Contains("gave up after 1 s", tail.Output, StringComparison.Ordinal);
    }

    private static Task<Match> SawVersionAsync(ChildProcess follower, int version) =>
        follower.WaitForOutputAsync(new Regex($"\"version\":{version},\"commit_ts\""), Bound, Cancelled);

    private static int[] Versions(string output) =>
        Regex.Matches(output, "\"version\":(\\d+),\"commit_ts\"").Select(match => int.Parse(match.Groups[1].Value, null)).ToArray();

    private static async Task<int> InterruptAsync(ChildProcess process)
    {
        using Process kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        await kill.WaitForExitAsync(Cancelled);
        return await process.WaitForExitAsync(Bound, Cancelled);
    }
}

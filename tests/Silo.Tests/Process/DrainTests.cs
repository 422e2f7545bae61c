using Statehouse.Silo.Tests.Hosting;

namespace Statehouse.Silo.Tests.Process;

/// <summary>SIGTERM: nothing new is taken, what was begun is finished, agents are handed over, the cluster is told.</summary>
public sealed class DrainTests
{
    private const int Agents = 40;
    private const int Active = 3;
    private const int Dead = 6;

    // For busy processors: the request in flight would hold the process up for 20 s.
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(5);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_silo_hands_its_agents_over_leaves_as_dead_and_exits_with_0()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(2);
        await cluster.WriteAsync(Agents, "before");

        Assert.Equal(0, await cluster.Silos[0].TerminateAsync());

        Assert.Equal(1L, await cluster.CountMembersAsync(Dead));
        Assert.Equal(1L, await cluster.CountMembersAsync(Active));
        // Nobody has to find out that it is gone: its agents answer elsewhere at once.
        for (int i = 0; i < Agents; i++)
            (await cluster.Api.GetAsync(RunningCluster.AgentPath(i) + "/state/before")).Expect(200);
        await cluster.WriteAsync(Agents, "after");
    }

    [Fact]
    public async Task A_process_that_is_told_to_stop_is_not_ready_at_once_finishes_what_it_has_begun_and_takes_nothing_more()
    {
        await using ClusterProcess process = await ClusterProcess.StartAsync(await Databases.NewAsync(), "all", "--migrate");
        string target = RunningCluster.AgentPath(1) + "/state";
        (await process.Api.PutAsync(target + "/first", "1")).Expect(200);
        await using RawHttp slow = await RawHttp.ConnectAsync(process.Http);
        await slow.SendAsync($"PUT {target}/slow HTTP/1.1\nHost: {process.Http.Authority}\nContent-Length: 2\nExpect: 100-continue\nConnection: close\n\n");
        await slow.WaitForContinueAsync();

        Task<int> stopping = process.TerminateAsync();
        await process.Process.WaitForOutputAsync(new("Stopping"), ClusterProcess.StopBound, Cancelled);

        await RunningCluster.WaitUntilAsync("/readyz is 503", AtOnce, async () =>
        {
            Reply reply = await process.Api.GetAsync("/readyz");
            return (reply.Status == 503, reply.ToString());
        });
        (await process.Api.GetAsync("/healthz")).Expect(200);
        (await process.Api.PutAsync(target + "/late", "1")).ExpectProblem(503, "SH-2001");
        Assert.False(stopping.IsCompleted);
        await slow.SendAsync("42");
        Assert.Equal(200, (await slow.ReadReplyAsync()).Status);
        Assert.Equal(0, await stopping);
    }

    [Fact]
    public async Task A_request_that_does_not_end_is_cut_off_within_the_time_that_a_stop_has()
    {
        await using ClusterProcess process = await ClusterProcess.StartAsync(await Databases.NewAsync(), "all", "--migrate", "--drain-within", "3");
        await using RawHttp slow = await RawHttp.ConnectAsync(process.Http);
        await slow.SendAsync(
            $"PUT {RunningCluster.AgentPath(1)}/state/slow HTTP/1.1\nHost: {process.Http.Authority}\nContent-Length: 2\nExpect: 100-continue\n\n");
        await slow.WaitForContinueAsync();

        Assert.Equal(0, await process.TerminateAsync());
        Assert.Contains("still in flight", process.Process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_SIGTERM_does_not_wait()
    {
        await using ClusterProcess process = await ClusterProcess.StartAsync(await Databases.NewAsync(), "all", "--migrate");
        await using RawHttp slow = await RawHttp.ConnectAsync(process.Http);
        await slow.SendAsync(
            $"PUT {RunningCluster.AgentPath(1)}/state/slow HTTP/1.1\nHost: {process.Http.Authority}\nContent-Length: 2\nExpect: 100-continue\n\n");
        await slow.WaitForContinueAsync();

        Task<int> first = process.TerminateAsync();
        await process.Process.WaitForOutputAsync(new("Stopping"), ClusterProcess.StopBound, Cancelled);
        await process.TerminateAsync();

        // 128 + 15: ended by the signal itself.
        Assert.Equal(143, await first);
    }
}

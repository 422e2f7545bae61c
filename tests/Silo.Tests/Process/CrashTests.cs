using System.Diagnostics;
using Statehouse.Silo.Tests.Hosting;

namespace Statehouse.Silo.Tests.Process;

/// <summary><c>kill -9</c> of silos: nothing that was acknowledged is lost, and agents answer again within the promise.</summary>
public sealed class CrashTests
{
    private const int Agents = 30;

    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Agents_of_a_killed_silo_answer_again_within_10_s_also_to_callers_whose_request_it_took_along()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(3);
        await cluster.WriteAsync(Agents, "k");
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var writers = Enumerable.Range(0, Agents).Select(i => new Writer(cluster.Api, i)).ToList();
        List<Task> writing = [.. writers.Select(writer => writer.RunAsync(ending.Token))];
        await RunningCluster.WaitUntilAsync("every agent is written", Promise, () =>
            Task.FromResult((writers.All(writer => writer.Acknowledged > 3), string.Join(' ', writers.Select(writer => writer.Acknowledged)))));

        long killed = Stopwatch.GetTimestamp();
        await cluster.Silos[1].KillAsync();
        await RunningCluster.WaitUntilAsync("every agent was written again after the kill", 3 * Promise, () =>
            Task.FromResult((writers.All(writer => writer.LastBegun > killed), "")));
        await ending.CancelAsync();
        await Task.WhenAll(writing);

        Assert.All(writers, writer => Assert.InRange(writer.LongestGap, TimeSpan.Zero, Promise));
        foreach (Writer writer in writers)
        {
            long value = (await cluster.Api.GetAsync(writer.Target + "?consistency=strong")).Expect(200).Json.GetProperty("value").GetInt64();
            // The last one may have come through without its reply.
            Assert.InRange(value, writer.Acknowledged, writer.Acknowledged + 1);
        }
        Assert.Equal(2L, await cluster.CountMembersAsync(3));
    }

    [Fact]
    public async Task A_cluster_that_was_killed_whole_starts_again_on_other_ports_with_all_that_was_acknowledged()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(2);
        await cluster.WriteAsync(Agents, "k");

        foreach (ClusterProcess silo in cluster.Silos)
            await silo.KillAsync();
        await cluster.AddSiloAsync();

        await RunningCluster.WaitUntilAsync("the gateway has found the new silo", 3 * Promise, async () =>
        {
            Reply reply = await cluster.Api.GetAsync(RunningCluster.AgentPath(0) + "/state/k");
            return (reply.Status == 200, reply.ToString());
        });
        for (int i = 0; i < Agents; i++)
            Assert.Equal($"{i}", (await cluster.Api.GetAsync(RunningCluster.AgentPath(i) + "/state/k")).Expect(200).Json.GetProperty("value").GetRawText());
    }

    /// <summary>Counts one key of one agent up, each number until it is acknowledged.</summary>
    private sealed class Writer(ApiClient api, int agent)
    {
        // What a caller waits before it tries again.
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

        private long _lastEnded = Stopwatch.GetTimestamp();

        public string Target { get; } = RunningCluster.AgentPath(agent) + "/state/count";

        /// <summary>The last number that was acknowledged.</summary>
        public long Acknowledged { get; private set; }

        /// <summary>When the last acknowledged request was begun.</summary>
        public long LastBegun { get; private set; }

        /// <summary>Between two acknowledgements.</summary>
        public TimeSpan LongestGap { get; private set; }

        public async Task RunAsync(CancellationToken ending)
        {
            while (!ending.IsCancellationRequested)
            {
                long begun = Stopwatch.GetTimestamp();
                string next = $"{Acknowledged + 1}";
                Reply reply = await api.PutAsync(Target, next, $"Idempotency-Key: {agent}-{next}");
                if (reply.Status != 200)
                {
                    // Fault codes only: a silo that dies must never make an agent refuse.
                    Assert.True(reply.Has("code") && reply.Text("code").StartsWith("SH-2", StringComparison.Ordinal), reply.ToString());
                    await Task.Delay(Pause, CancellationToken.None);
                    continue;
                }
                long ended = Stopwatch.GetTimestamp();
                TimeSpan gap = Stopwatch.GetElapsedTime(_lastEnded, ended);
                (Acknowledged, LastBegun, _lastEnded) = (Acknowledged + 1, begun, ended);
                LongestGap = gap > LongestGap ? gap : LongestGap;
            }
        }
    }
}

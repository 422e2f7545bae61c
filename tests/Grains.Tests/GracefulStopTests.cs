using System.Collections.Concurrent;
using Orleans.TestingHost;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Tests;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Grains.Tests;

/// <summary>A silo that is asked to stop hands its agents over.</summary>
public sealed class GracefulStopTests : SiloTest
{
    private protected override int SiloCount => 3;

    private protected override LocalAgentsOptions Options => base.Options with { HoldLease = TimeSpan.FromSeconds(3) };

    [Fact]
    public async Task Stopping_a_silo_under_load_loses_nothing_and_one_repeat_cures_what_callers_see()
    {
        InProcessSiloHandle[] silos = [.. Silos.Cluster.Silos];
        var acknowledged = new ConcurrentBag<(string Agent, CommitReceipt Receipt)>();
        var cured = new ConcurrentBag<StatehouseException>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        IAgents[] doors = [Silos.AgentsFrom(silos[1]), Silos.AgentsFrom(silos[2])];
        Task[] writers = [.. Enumerable.Range(0, 12).Select(w => Task.Run(async () =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                // Some agents have one writer, some several; and transactions go over two of them.
                string[] names = i % 5 == 0 ? [$"a{i % 4}", $"b{w}"] : [i % 2 == 0 ? $"a{i % 4}" : $"b{w}"];
                var request = Together([.. names.Select(name => (Id(name), Commit(Put($"w{w}", $"{i}")) with { IdempotencyKey = $"w{w}-{i}" }))]);
                async Task<IEnumerable<CommitReceipt>> SendAsync() =>
                    await WithinAsync(doors[w % 2].CommitTogetherAsync(request, Cancellation).AsTask(), "a commit");
                IEnumerable<CommitReceipt> receipts;
                try
                {
                    receipts = await SendAsync();
                }
                catch (StatehouseException fault) when (fault.Code.Kind() == ErrorKind.Fault)
                {
                    cured.Add(fault);
                    receipts = await SendAsync();
                }
                foreach ((string name, CommitReceipt receipt) in names.Zip(receipts))
                    acknowledged.Add((name, receipt));
            }
        }, Cancellation))];
        await WithinAsync(() => acknowledged.Count > 300, "some load");
        await WithinAsync(Silos.StopAsync(silos[0]), "the silo to stop");
        int whenStopped = acknowledged.Count;
        await WithinAsync(() => acknowledged.Count > whenStopped + 300 || Array.Exists(writers, writer => writer.IsCompleted), "load to go on");
        await stop.CancelAsync();
        await WithinAsync(Task.WhenAll(writers), "the writers to end");

        TestContext.Current.TestOutputHelper?.WriteLine($"{acknowledged.Count} acknowledged, {cured.Count} repeated");
        foreach (IGrouping<string, (string Agent, CommitReceipt Receipt)> agent in acknowledged.GroupBy(each => each.Agent))
        {
            IReadOnlyList<JournalCommit> chain = await ChainOfAsync(agent.Key);
            // What was acknowledged is there, and what is there was acknowledged, once: every fault was followed by a receipt.
            Assert.Equal(
                agent.Select(each => (each.Receipt.Version, each.Receipt.TxnId)).OrderBy(each => each.Version),
                chain.Select(commit => (commit.Version, commit.TxnId)));
        }
    }

    [Fact]
    public async Task A_held_agent_outlives_its_hold_before_its_silo_lets_it_go()
    {
        InProcessSiloHandle[] silos = [.. Silos.Cluster.Silos];
        await Silos.PlaceAsync(Id("a"), silos[0], Cancellation);
        await Agent("a").CommitAsync(Put("k", "1"));
        IAgentParticipantGrain participant = Silos.GrainOf(Id("a")).AsReference<IAgentParticipantGrain>();
        HeldAgent held = await participant.HoldAsync(new HoldRequest(Guid.NewGuid(), Commit(Put("k", "2")), Options.HoldLease), Cancellation);
        Task stopping = Silos.StopAsync(silos[0]);
        Task<string?> read = Silos.AgentsFrom(silos[1]).Get(Id("a")).ReadAsync("k");
        // Were the agent let go, its next activation would answer within this time, from before the append.
        await Task.WhenAny(read, Task.Delay(TimeSpan.FromSeconds(1), Cancellation));
        var append = new AppendUnit([new AppendRun(new JournalHandle(Id("a")), held.Version, held.Hash, [held.Commit!])]);
        await Store.WriteAsync([append], Cancellation);
        Assert.Equal(AppendOutcome.Appended, append.Outcome);
        Assert.Equal("2", await WithinAsync(read, "a read of the held agent"));
        await WithinAsync(stopping, "the silo to stop");
    }
}

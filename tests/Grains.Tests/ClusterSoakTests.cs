using System.Collections.Concurrent;
using Orleans.TestingHost;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Tests;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Grains.Tests;

/// <summary>A cluster under mixed load, whose silos are killed, stopped and added, and a checker over what it left.</summary>
public sealed class ClusterSoakTests : SiloTest
{
    private const int AgentCount = 12;

    private readonly ConcurrentDictionary<Guid, StatehouseException?> _outcomes = new();
    private readonly ConcurrentDictionary<string, int> _faults = new();
    private readonly Random _random;
    private readonly int _seed;

    public ClusterSoakTests()
    {
        _seed = int.TryParse(Environment.GetEnvironmentVariable("STATEHOUSE_TEST_SEED"), out int seed) ? seed : Random.Shared.Next();
        _random = new Random(_seed);
    }

    private protected override int SiloCount => 4;

    private protected override LocalAgentsOptions Options => base.Options with { TurnPatience = TimeSpan.FromSeconds(5) };

    /// <summary>
    /// The caller's side: nothing but what IAgentState names. The journal's side: what was acknowledged is there once, what
    /// was said to have written nothing is not, transactions are there on all of their agents or on none.
    /// </summary>
    [Fact]
    public async Task Whatever_dies_callers_see_only_what_the_contract_names_and_it_is_true()
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"STATEHOUSE_TEST_SEED={_seed}");
        InProcessSiloHandle[] silos = [.. Silos.Cluster.Silos];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        // A client, and gateways inside of silos: one that is killed, one that stops, one that lives.
        IAgents[] doors = [Agents, Silos.AgentsFrom(silos[0]), Silos.AgentsFrom(silos[1]), Silos.AgentsFrom(silos[3])];
        Task[] callers = [.. doors.SelectMany(door => Enumerable.Range(0, 2).SelectMany(_ => new[]
        {
            LoopAsync(random => CommitAsync(door, random), stop.Token),
            LoopAsync(random => CommitTogetherAsync(door, random), stop.Token),
            LoopAsync(random => ReadAsync(door, random), stop.Token),
            LoopAsync(random => FollowAsync(door, random, stop.Token), stop.Token),
        }))];

        await AnswersAsync(silos[3], 100);
        await Silos.KillAsync(silos[0]);
        await AnswersAsync(silos[3], 100);
        await WithinAsync(Silos.StopAsync(silos[1]), "the silo to stop");
        await AnswersAsync(silos[3], 100);
        await Silos.AddSiloAsync();
        await Silos.KillAsync(silos[2]);
        await AnswersAsync(silos[3], 100);
        await Silos.Cluster.StopClusterClientAsync();
        await AnswersAsync(silos[3], 50);
        await stop.CancelAsync();
        await WithinAsync(Task.WhenAll(callers), "the callers to end");

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(Environment.NewLine, _faults.OrderBy(each => each.Key).Select(each => $"{each.Value,6} {each.Key}")));
        await AssertJournalAgreesAsync();
    }

    private async Task AssertJournalAgreesAsync()
    {
        var kept = new Dictionary<Guid, int>();
        for (int i = 0; i < AgentCount; i++)
        {
            IReadOnlyList<JournalCommit> chain = await ChainOfAsync($"a{i}");
            foreach (JournalCommit commit in chain)
                kept[commit.TxnId] = kept.GetValueOrDefault(commit.TxnId) + 1;
        }
        foreach ((Guid txnId, StatehouseException? fault) in _outcomes)
        {
            // The last byte says over how many agents the transaction goes.
            int agents = txnId.ToByteArray()[15];
            int commits = kept.GetValueOrDefault(txnId);
            Assert.True(commits == 0 || commits == agents, $"{txnId} is on {commits} of its {agents} agents");
            if (fault is null)
                Assert.True(commits == agents, $"{txnId} was acknowledged, and is not there");
            else if (fault is not JournalOutcomeUnknownException)
                Assert.True(commits == 0, $"{txnId} is there, but its caller was told: {fault}");
        }
        Assert.DoesNotContain(kept.Keys, txnId => !_outcomes.ContainsKey(txnId));
    }

    /// <summary>Load must come through, by the gateway that lives.</summary>
    private async Task AnswersAsync(InProcessSiloHandle silo, int calls)
    {
        for (int i = 0; i < calls;)
        {
            if (await OutcomeAsync(Silos.AgentsFrom(silo), [i % AgentCount]) is null)
                i++;
        }
    }

    private Task CommitAsync(IAgents door, Random random) => OutcomeAsync(door, [random.Next(AgentCount)]);

    private Task CommitTogetherAsync(IAgents door, Random random)
    {
        int first = random.Next(AgentCount);
        return OutcomeAsync(door, [first, (first + 1 + random.Next(AgentCount - 1)) % AgentCount]);
    }

    private async Task<StatehouseException?> OutcomeAsync(IAgents door, int[] agents)
    {
        byte[] id = Guid.NewGuid().ToByteArray();
        id[15] = (byte)agents.Length;
        var txnId = new Guid(id);
        // Known before it is sent: the journal may know it before its caller is answered.
        _outcomes[txnId] = new JournalOutcomeUnknownException("Under way.");
        StatehouseException? fault = await FaultOf(WithinAsync(
            door.CommitTogetherAsync(Together([.. agents.Select(i => (Id($"a{i}"), Commit(Put("k", "1")) with { TxnId = txnId }))]), Cancellation).AsTask(),
            "a commit"));
        _outcomes[txnId] = fault;
        Count(fault);
        return fault;
    }

    private async Task ReadAsync(IAgents door, Random random) =>
        Count(await FaultOf(WithinAsync(
            random.Next(2) == 0
                ? door.Get(Id($"a{random.Next(AgentCount)}")).ReadAsync("k")
                : door.Get(Id($"a{random.Next(AgentCount)}")).GetHeadAsync(Consistency.Strong, Cancellation).AsTask(),
            "a read")));

    private async Task FollowAsync(IAgents door, Random random, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromMilliseconds(random.Next(500)));
        async Task FollowAsync()
        {
            long last = 0;
            await foreach (JournalCommit commit in door.Get(Id($"a{random.Next(AgentCount)}")).ReplayAsync(AgentVersion.None, follow: true, patience.Token))
                Assert.Equal(++last, commit.Version.Value);
        }
        try
        {
            Count(await FaultOf(WithinAsync(FollowAsync(), "a follower to end")));
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            // Its own token.
        }
    }

    private void Count(StatehouseException? fault) =>
        _faults.AddOrUpdate(fault is null ? "answered" : $"{fault.GetType().Name} {fault.InnerException?.GetType().Name}", 1, (_, n) => n + 1);

    private Task LoopAsync(Func<Random, Task> call, CancellationToken cancellationToken)
    {
        var random = new Random(_random.Next());
        return Task.Run(async () =>
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                await call(random);
                await Task.Delay(5, CancellationToken.None);
            }
        }, CancellationToken.None);
    }
}

using System.Globalization;

namespace Statehouse.Journal.Tests;

public abstract partial class JournalStoreConformance
{
    /// <summary>Set it to the seed that a failure printed to run that case again.</summary>
    private const string SeedVariable = "STATEHOUSE_TEST_SEED";

    private const int ModelSteps = 250;

    [Fact]
    public async Task A_random_run_always_agrees_with_a_model()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), CultureInfo.InvariantCulture, out int given)
            ? given
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"{SeedVariable}={seed}");
        var random = new Random(seed);
        Commits[] agents = [.. Enumerable.Range(0, 12).Select(i => new Commits(new AgentId($"n{i % 3}", $"agent {i}")))];
        int step = 0;
        try
        {
            for (; step < ModelSteps; step++)
                await TakeStepAsync(random, agents);
            await CompareAllAsync(agents);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            throw new InvalidOperationException($"Disagreed with the model at step {step}; repeat with {SeedVariable}={seed}.", error);
        }
    }

    private async Task TakeStepAsync(Random random, Commits[] agents)
    {
        int dice = random.Next(100);
        if (dice < 85)
            await WriteRandomBatchAsync(random, agents);
        else if (dice < 97)
            await CompareOneAsync(random, agents[random.Next(agents.Length)]);
        else if (dice < 99)
            await CompareAllAsync(agents);
        else
            await ReopenAsync();
    }

    /// <summary>A batch over different agents, each unit good or doomed; the model knows which before the store says.</summary>
    private async Task WriteRandomBatchAsync(Random random, Commits[] agents)
    {
        Commits[] shuffled = [.. agents];
        random.Shuffle(shuffled);
        var rest = new Queue<Commits>(shuffled.Take(random.Next(1, shuffled.Length + 1)));
        var batch = new List<(AppendUnit Unit, bool IsDoomed)>();
        while (rest.Count > 0)
            batch.Add(RandomUnit(random, [.. TakeSome(random, rest)]));

        await WriteAsync([.. batch.Select(b => b.Unit)]);

        foreach ((AppendUnit unit, bool isDoomed) in batch)
        {
            Assert.Equal(isDoomed ? AppendOutcome.Conflict : AppendOutcome.Appended, unit.Outcome);
            if (!isDoomed)
                Acknowledge(agents, unit);
        }
    }

    private static IEnumerable<Commits> TakeSome(Random random, Queue<Commits> rest)
    {
        int count = random.Next(3) == 0 ? random.Next(2, 5) : 1;
        while (count-- > 0 && rest.TryDequeue(out Commits? agent))
            yield return agent;
    }

    private static (AppendUnit Unit, bool IsDoomed) RandomUnit(Random random, Commits[] agents)
    {
        if (random.Next(10) == 0)
            agents[0].ForgetHandle();
        bool isDoomed = random.Next(6) == 0;
        if (agents.Length == 1 && !isDoomed)
            return (agents[0].NextUnit(random.Next(1, 6)), false);

        AppendUnit unit = Together(agents);
        if (!isDoomed)
            return (unit, false);
        AppendRun[] runs = [.. unit.Runs];
        int at = random.Next(runs.Length);
        Commits doomed = agents.Single(a => a.Agent == runs[at].Handle.Agent);
        runs[at] = DoomedRun(random, doomed, runs[at].Commits[0].TxnId);
        return (new AppendUnit(runs), true);
    }

    /// <summary>Decided on a version that is past, or to come, or on another history of the same length.</summary>
    private static AppendRun DoomedRun(Random random, Commits agent, Guid txnId)
    {
        CommitHash other = CommitHash.Chain(agent.Hash, agent.Version, agent.Time, txnId, "{}"u8);
        (AgentVersion version, CommitHash hash) = random.Next(3) switch
        {
            0 when agent.Version.Value > 1 => (new AgentVersion(agent.Version.Value - 1), agent.Acknowledged[^2].Hash),
            1 when agent.Version.Value > 0 => (agent.Version, other),
            _ => (agent.Version.Next, other),
        };
        AppendRun run = agent.NextExpecting(version, hash);
        return new AppendRun(run.Handle, version, hash, [run.Commits[0] with { TxnId = txnId }]);
    }

    private async Task CompareOneAsync(Random random, Commits agent)
    {
        await AssertJournalIsAsync(agent);
        if (agent.Version == AgentVersion.None)
            return;
        JournalCommit some = agent.Acknowledged[random.Next(agent.Acknowledged.Count)];
        Assert.Equal(some.Version, await Store.FindVersionAtTsAsync(agent.Handle, some.CommitTs, Cancellation));
        Assert.Equal(some.Version, await Store.FindVersionAtTimeAsync(agent.Handle, some.Time, Cancellation));
        List<JournalCommit> tail = await Store
            .ReadBackwardAsync(agent.Handle, some.Version, agent.Version, Cancellation).ToListAsync(Cancellation);
        AssertSameCommits([.. agent.Acknowledged.Skip((int)some.Version.Value - 1).Reverse()], tail);
    }

    private async Task CompareAllAsync(Commits[] agents)
    {
        foreach (Commits agent in agents)
            await AssertJournalIsAsync(agent);
        AssertSameFeed(FeedOf(agents), await ReadFeedToEndAsync(limit: 50));
        foreach (IGrouping<string, Commits> world in agents.GroupBy(a => a.Agent.Namespace))
            AssertSameFeed(FeedOf([.. world]), await ReadFeedToEndAsync(world.Key, limit: 9));
    }
}

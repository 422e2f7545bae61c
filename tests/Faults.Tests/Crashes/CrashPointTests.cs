using Statehouse.Journal;

namespace Statehouse.Faults.Tests.Crashes;

/// <summary>A server dies at each named moment of a write; what a restart finds.</summary>
public abstract class CrashPointTests
{
    private const int StepsMax = 400;

    /// <summary>Between the insert and the commit: what this store can be stopped at.</summary>
    protected abstract CrashPoint InWrite { get; }

    /// <summary>Whether a step that died at a point of its own write is there afterwards; null = may be.</summary>
    protected abstract bool? IsThereAfter(CrashPoint point);

    private protected abstract Task<FaultyNode> NodeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The process dies, is started anew, the lost step is repeated, and one more follows.</summary>
    private protected async Task DieAndRecoverAsync(CrashPoint point, int occurrence)
    {
        await using FaultyNode node = await NodeAsync();
        await node.StartAsync($"{point}:{occurrence}");
        var script = new StepScript("default");
        Step lost = await script.RunUntilLostAsync(node.Http, StepsMax, Cancelled);
        await node.AwaitDeathAsync();

        CheckTrace(node.Trace, lost, point, occurrence);
        await node.StartAsync();
        await RecoverAsync(node, script, lost, IsThereAfter(point));
    }

    /// <summary>The steps came to what they come to, in that order, and to nothing after the point that the process died at.</summary>
    private void CheckTrace(IReadOnlyList<CrashPoint> trace, Step lost, CrashPoint point, int occurrence)
    {
        Assert.Equal(point, trace[^1]);
        Assert.Equal(occurrence, trace.Count(each => each == point));
        IReadOnlyList<CrashPoint> seen = StepTrace.OfSteps(trace);
        (Step Step, CrashPoint Point)[] expected = [.. new StepTrace(InWrite).OfAllSteps(lost.Namespace).Take(seen.Count)];
        Assert.Equal(expected.Select(each => each.Point), seen);
        if (!StepTrace.IsBeside(point))
            Assert.Equal(lost, expected[^1].Step);
    }

    /// <summary>Checks what a restart finds, repeats the lost step, and goes on.</summary>
    private protected static async Task RecoverAsync(FaultyNode node, StepScript script, Step lost, bool? isThere)
    {
        StepAudit found = await StepAudit.OfAsync(node.Http, script, Cancelled);
        if (isThere is { } wanted)
            Assert.Equal(wanted ? 1 : 0, found.CountOf(lost));

        Assert.True(await script.TryAsync(node.Http, lost, Cancelled));
        StepAudit repeated = await StepAudit.OfAsync(node.Http, script, Cancelled);
        Assert.Equal(1, repeated.CountOf(lost));
        Step next = script.Next;
        Assert.True(await script.TryAsync(node.Http, next, Cancelled));
        Assert.All(script.Acknowledged[next.Number], receipt => Assert.Equal(repeated.VersionOf(receipt.Agent) + 1, receipt.Version));
        await script.RunAsync(node.Http, 4, Cancelled);
        await StepAudit.OfAsync(node.Http, script, Cancelled);
    }

    [Theory]
    [InlineData(CrashPoint.AfterDecide, 7)]
    [InlineData(CrashPoint.AfterDecide, 8)]
    [InlineData(CrashPoint.AfterDecide, 9)]
    [InlineData(CrashPoint.BeforeAppend, 1)]
    [InlineData(CrashPoint.BeforeAppend, 5)]
    [InlineData(CrashPoint.BeforeAppend, 6)]
    [InlineData(CrashPoint.AfterCommitBeforeReply, 1)]
    [InlineData(CrashPoint.AfterCommitBeforeReply, 7)]
    [InlineData(CrashPoint.AfterCommitBeforeReply, 8)]
    public Task Died_in_a_write_acknowledged_steps_are_there_and_the_lost_one_once_or_not_at_all(CrashPoint point, int occurrence) =>
        DieAndRecoverAsync(point, occurrence);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    public Task Died_between_the_insert_and_the_answer_the_lost_step_is_there_once_or_not_at_all(int occurrence) =>
        DieAndRecoverAsync(InWrite, occurrence);

    [Theory]
    [InlineData(CrashPoint.BetweenHolds, 3)]
    [InlineData(CrashPoint.BeforeParticipantsAreTold, 3)]
    [InlineData(CrashPoint.BetweenParticipants, 3)]
    public Task Died_between_participants_a_transaction_is_on_all_its_agents_or_on_none(CrashPoint point, int occurrence) =>
        DieAndRecoverAsync(point, occurrence);

    [Theory]
    [InlineData(CrashPoint.InSnapshot, 1)]
    [InlineData(CrashPoint.InSnapshot, 6)]
    [InlineData(CrashPoint.InThinning, 1)]
    [InlineData(CrashPoint.InThinning, 3)]
    public Task Died_in_a_snapshot_the_journal_tells_the_state(CrashPoint point, int occurrence) =>
        DieAndRecoverAsync(point, occurrence);

    [Theory]
    [InlineData(CrashPoint.WhileDraining)]
    [InlineData(CrashPoint.InJournalDrain)]
    public async Task Died_while_it_was_stopping_nothing_acknowledged_is_lost(CrashPoint point)
    {
        await using FaultyNode node = await NodeAsync();
        await node.StartAsync($"{point}");
        var script = new StepScript("default");
        await script.RunAsync(node.Http, 5, Cancelled);
        Task<Step> running = script.RunUntilLostAsync(node.Http, 100_000, Cancelled);
        Task<int> ended = node.Process.TerminateAsync(TimeSpan.FromSeconds(60), Cancelled);
        Step lost = await running;
        Assert.Equal(128 + 9, await ended);
        Assert.Equal(point, node.Trace[^1]);

        await node.StartAsync();
        await RecoverAsync(node, script, lost, null);
    }

    [Fact]
    public async Task Died_again_while_it_recovered_and_again_while_it_loaded_nothing_is_lost()
    {
        await using FaultyNode node = await NodeAsync();
        await node.StartAsync($"{CrashPoint.AfterCommitBeforeReply}:8");
        var script = new StepScript("default");
        Step lost = await script.RunUntilLostAsync(node.Http, StepsMax, Cancelled);
        await node.AwaitDeathAsync();

        await node.StartAndDieAsync($"{CrashPoint.WhileOpening}");
        Assert.Equal([CrashPoint.WhileOpening], node.Trace);
        await node.StartAsync($"{CrashPoint.InLoad}");
        Assert.False(await script.TryAsync(node.Http, lost, Cancelled));
        await node.AwaitDeathAsync();
        Assert.Equal(CrashPoint.InLoad, node.Trace[^1]);
        // And in the repeat itself, which then writes nothing more.
        await node.StartAsync($"{CrashPoint.AfterDecide}");
        Assert.True(await script.TryAsync(node.Http, lost, Cancelled));
        Step second = await script.RunUntilLostAsync(node.Http, StepsMax, Cancelled);
        await node.AwaitDeathAsync();

        await node.StartAsync();
        await RecoverAsync(node, script, second, false);
    }

    [Fact]
    public async Task Died_in_each_migration_the_next_start_brings_the_schema_up()
    {
        await using FaultyNode node = await NodeAsync();
        for (int migration = 1; migration <= 3; migration++)
        {
            await node.StartAndDieAsync($"{CrashPoint.InMigration}:{migration}");
            Assert.Equal(Enumerable.Repeat(CrashPoint.InMigration, migration), node.Trace.Where(point => point != CrashPoint.WhileOpening));
        }
        await node.StartAsync();
        var script = new StepScript("default");
        await script.RunAsync(node.Http, 6, Cancelled);
        await StepAudit.OfAsync(node.Http, script, Cancelled);
    }
}

public sealed class SqliteCrashPointTests : CrashPointTests
{
    protected override CrashPoint InWrite => CrashPoint.AfterInsertBeforeCommit;

    protected override bool? IsThereAfter(CrashPoint point) => point switch
    {
        CrashPoint.AfterDecide or CrashPoint.BeforeAppend or CrashPoint.AfterInsertBeforeCommit or CrashPoint.BetweenHolds => false,
        CrashPoint.AfterCommitBeforeReply or CrashPoint.BeforeParticipantsAreTold or CrashPoint.BetweenParticipants => true,
        _ => null,
    };

    private protected override Task<FaultyNode> NodeAsync() => Task.FromResult(FaultyNode.OnSqlite());
}

public sealed class PostgresCrashPointTests : CrashPointTests
{
    protected override CrashPoint InWrite => CrashPoint.AfterSend;

    /// <summary>What was sent may be committed or not; <see cref="PostgresMidCommitTests"/> look between.</summary>
    protected override bool? IsThereAfter(CrashPoint point) => point switch
    {
        CrashPoint.AfterDecide or CrashPoint.BeforeAppend or CrashPoint.BetweenHolds => false,
        CrashPoint.AfterCommitBeforeReply or CrashPoint.BeforeParticipantsAreTold or CrashPoint.BetweenParticipants => true,
        _ => null,
    };

    private protected override Task<FaultyNode> NodeAsync() => FaultyNode.OnPostgresAsync();
}

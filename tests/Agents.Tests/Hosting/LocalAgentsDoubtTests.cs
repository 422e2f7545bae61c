using Statehouse.Agents.Hosting;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>While an append of which nobody knows whether it landed may still do so, reads ask the journal.</summary>
public sealed class LocalAgentsDoubtTests : IAsyncLifetime
{
    private readonly MemoryStore _store = new() { IsShared = false };
    private readonly ManualClock _clock = new();
    private TestHost _host = null!;

    private static AgentId A => new("default", "a");

    private static AgentId B => new("default", "b");

    private IAgentState Agent => _host.Agent("a");

    public ValueTask InitializeAsync()
    {
        _host = new TestHost(_store, clock: _clock);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_commit_that_lands_after_its_caller_was_told_unknown_is_read_at_once()
    {
        await Agent.CommitAsync(Put("k", "1"));
        IReadOnlyList<AppendUnit> late = await LoseAsync(() => Agent.CommitAsync(Put("k", "2")));
        Assert.Equal("1", await Agent.ReadAsync("k"));
        await _store.WriteAsync(late, Cancellation);
        Assert.Equal("2", await Agent.ReadAsync("k"));
    }

    [Fact]
    public async Task A_transaction_that_lands_late_is_read_on_all_its_agents()
    {
        foreach (AgentId agent in new[] { A, B })
            await _host.Agents.Get(agent).CommitAsync(Put("k", "1"));
        IReadOnlyList<AppendUnit> late = await LoseAsync(async () =>
            await _host.Agents.CommitTogetherAsync(Together((A, Commit(Put("k", "2"))), (B, Commit(Put("k", "2")))), Cancellation));
        await _store.WriteAsync(late, Cancellation);
        Assert.Equal("2", await _host.Agents.Get(B).ReadAsync("k"));
        Assert.Equal("2", await _host.Agents.Get(A).ReadAsync("k"));
    }

    [Fact]
    public async Task The_doubt_ends_when_the_append_can_no_longer_land_and_not_before()
    {
        await Agent.CommitAsync(Put("k", "1"));
        await LoseAsync(() => Agent.CommitAsync(Put("k", "2")));
        _clock.Advance(new LocalAgentsOptions().DoubtFor - TimeSpan.FromSeconds(1));
        Assert.True(await AsksTheJournalAsync());
        _clock.Advance(TimeSpan.FromSeconds(1));
        // One look after the end settles it.
        Assert.Equal("1", await Agent.ReadAsync("k"));
        Assert.False(await AsksTheJournalAsync());
    }

    [Fact]
    public async Task A_transaction_that_finds_the_queue_full_leaves_no_doubt_behind()
    {
        await using var host = new TestHost(_store, groupCommit: new Journal.GroupCommit.GroupCommitOptions
        {
            QueuedUnitsMax = 1,
            BusyPatience = TimeSpan.FromMilliseconds(50),
        });
        var held = new TaskCompletionSource();
        var lanesFull = new CountdownEvent(_store.WriterCount);
        _store.BeforeWrite = _ =>
        {
            lanesFull.Signal();
            return held.Task;
        };
        // Whatever lane the transaction takes, it is full.
        Task<CommitReceipt>[] filling = [.. Enumerable.Range(0, 64).Select(i => host.Agent($"filling{i}").CommitAsync(Put("k", "1")))];
        Assert.True(await Task.Run(() => lanesFull.Wait(TimeSpan.FromSeconds(10)), Cancellation), "Waited 10 s for a write in each lane.");
        _store.BeforeWrite = _ => held.Task;
        Exception? refusal = await Record.ExceptionAsync(async () => await host.Agents.CommitTogetherAsync(
            Together((A, Commit(Put("k", "1"))), (new AgentId("default", "b"), Commit(Put("k", "1")))), Cancellation));
        // Only a read in doubt asks the journal.
        _store.IsAway = true;
        Exception? doubt = await Record.ExceptionAsync(() => host.Agent("a").ReadAsync("k"));
        _store.IsAway = false;
        held.SetResult();
        await Record.ExceptionAsync(() => Task.WhenAll(filling));
        Assert.IsType<JournalBusyException>(refusal);
        Assert.Null(doubt);
    }

    /// <summary>Fails an append with its outcome unknown and keeps it, to be written later or never.</summary>
    private async Task<IReadOnlyList<AppendUnit>> LoseAsync(Func<Task> commit)
    {
        IReadOnlyList<AppendUnit>? lost = null;
        _store.BeforeWrite = batch =>
        {
            lost = [.. batch];
            throw new JournalOutcomeUnknownException("The reply was lost.");
        };
        await Assert.ThrowsAsync<JournalOutcomeUnknownException>(commit);
        _store.BeforeWrite = null;
        return lost!;
    }

    private async Task<bool> AsksTheJournalAsync()
    {
        _store.IsAway = true;
        Exception? error = await Record.ExceptionAsync(() => Agent.ReadAsync("k"));
        _store.IsAway = false;
        return error is JournalUnavailableException;
    }
}

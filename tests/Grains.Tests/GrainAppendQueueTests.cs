using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Tests;
using Statehouse.Agents.Tests.Hosting;
using Statehouse.Journal;
using Statehouse.Journal.GroupCommit;

namespace Statehouse.Grains.Tests;

/// <summary>The queue between whoever decides and the grain's scheduler.</summary>
public sealed class GrainAppendQueueTests : IAsyncDisposable
{
    private const int AppendsMax = 4096;

    private static readonly AgentId Agent = new("default", "a");

    private readonly ManualClock _clock = new();
    private readonly GroupCommitJournal _journal = new(new MemoryStore(), new GroupCommitOptions(), SilentOperatorLog.Instance);
    private readonly AgentHosting _hosting;
    private readonly JournalHandle _handle = new(Agent);
    private int _scheduled;

    public GrainAppendQueueTests() =>
        _hosting = new AgentHosting(
            _journal, new LocalAgentsOptions { TurnPatience = TimeSpan.FromSeconds(10) }, Limits.Default, _clock, SilentOperatorLog.Instance);

    public async ValueTask DisposeAsync()
    {
        await _hosting.DisposeAsync();
        await _journal.DisposeAsync();
    }

    [Fact]
    public void Appends_come_out_in_the_order_they_went_in_and_one_turn_is_asked_for_them_all()
    {
        GrainAppendQueue queue = NewQueue();
        AppendUnit[] units = [.. Enumerable.Range(1, 100).Select(version => Unit(version))];
        foreach (AppendUnit unit in units)
            Assert.True(queue.TryAppend(unit, new AppendObserver()));
        Assert.Equal(1, _scheduled);
        Assert.Equal(units.Select(unit => unit.Runs[0]), queue.TakeAll().Select(append => append.Run));
        Assert.True(queue.TryAppend(Unit(101), new AppendObserver()));
        Assert.Equal(2, _scheduled);
    }

    [Fact]
    public void An_append_that_could_be_raised_at_once_still_waits_behind_those_that_could_not()
    {
        var raised = new List<AgentAppend>();
        bool isGrainsTurn = false;
        var queue = new GrainAppendQueue(_hosting, append => isGrainsTurn && Add(raised, append), () => _scheduled++);
        AppendUnit[] units = [.. Enumerable.Range(1, 4).Select(version => Unit(version))];
        isGrainsTurn = true;
        queue.TryAppend(units[0], new AppendObserver());
        isGrainsTurn = false;
        queue.TryAppend(units[1], new AppendObserver());
        isGrainsTurn = true;
        queue.TryAppend(units[2], new AppendObserver());
        raised.AddRange(queue.TakeAll());
        queue.TryAppend(units[3], new AppendObserver());
        Assert.Equal(units.Select(unit => unit.Runs[0]), raised.Select(append => append.Run));
    }

    [Fact]
    public async Task A_full_queue_says_no_and_whoever_waits_is_let_in_when_the_journal_has_answered()
    {
        GrainAppendQueue queue = NewQueue();
        Fill(queue);
        Assert.False(queue.TryAppend(Unit(9999), new AppendObserver()));
        Task waiting = queue.WaitForRoomAsync(Agent, TestContext.Current.CancellationToken).AsTask();
        List<AgentAppend> taken = queue.TakeAll();
        // Taken is not answered: they are still the queue's to count.
        Assert.False(queue.TryAppend(Unit(9999), new AppendObserver()));
        Assert.False(waiting.IsCompleted);
        queue.OnEnded(taken[..1]);
        await waiting.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.True(queue.TryAppend(Unit(9999), new AppendObserver()));
        Assert.False(queue.TryAppend(Unit(10_000), new AppendObserver()));
    }

    [Fact]
    public async Task A_queue_that_stays_full_is_busy_when_patience_is_over_and_not_before()
    {
        GrainAppendQueue queue = NewQueue();
        Fill(queue);
        Task waiting = queue.WaitForRoomAsync(Agent, TestContext.Current.CancellationToken).AsTask();
        _clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(waiting.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        var busy = await Assert.ThrowsAsync<JournalBusyException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        Assert.Equal(ErrorCode.Busy, busy.Code);
        Assert.Contains("default/a", busy.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_gives_up_waits_no_longer()
    {
        GrainAppendQueue queue = NewQueue();
        Fill(queue);
        using var caller = new CancellationTokenSource();
        Task waiting = queue.WaitForRoomAsync(Agent, caller.Token).AsTask();
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Large_commits_fill_the_queue_by_their_bytes()
    {
        GrainAppendQueue queue = NewQueue();
        int taken = 0;
        while (taken < AppendsMax && queue.TryAppend(Unit(taken + 1, bodyBytes: 1024 * 1024), new AppendObserver()))
            taken++;
        Assert.InRange(taken, 15, 17);
    }

    private static bool Add(List<AgentAppend> raised, AgentAppend append)
    {
        raised.Add(append);
        return true;
    }

    private GrainAppendQueue NewQueue() => new(_hosting, _ => false, () => _scheduled++);

    private void Fill(GrainAppendQueue queue)
    {
        for (int version = 1; version <= AppendsMax; version++)
            Assert.True(queue.TryAppend(Unit(version), new AppendObserver()), $"full at {version}");
    }

    private AppendUnit Unit(long version, int bodyBytes = 10) => new([new AppendRun(
        _handle, new AgentVersion(version - 1), default,
        [new JournalCommit(new AgentVersion(version), default, default, Guid.NewGuid(), default, new byte[bodyBytes])])]);
}

using Orleans.EventSourcing;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains.Tests;

/// <summary>The log that a grain raises its events into, alone: what the journal answers, the event must tell.</summary>
public sealed class JournalLogTests
{
    private readonly StubQueue _journal = new();
    private readonly AppendObserver _agent = new();
    private readonly Host _grain = new();
    private readonly JournalLog _log;
    private readonly GrainAppendQueue _queue;

    public JournalLogTests()
    {
        _log = new JournalLog(_journal, _grain, new AgentView());
        _queue = new GrainAppendQueue(_journal, append => _log.TryAppend(append));
    }

    [Fact]
    public async Task An_event_is_on_its_way_at_once_and_confirmed_when_the_journal_says_so()
    {
        AppendUnit unit = Unit();
        Assert.True(_queue.TryAppend(unit, _agent));
        Assert.Equal([unit], _journal.Taken);
        Assert.False(_agent.Ended.IsCompleted);
        Assert.Empty(_grain.Applied);
        _journal.Observers[0].OnAppended(unit);
        Assert.Null(await _agent.Ended);
        Assert.Equal(unit, Assert.Single(_grain.Applied).Unit);
    }

    [Fact]
    public async Task Events_are_pipelined_and_a_failed_one_tells_its_agent_why()
    {
        AppendUnit first = Unit();
        AppendUnit second = Unit();
        var alsoAsks = new AppendObserver();
        Assert.True(_queue.TryAppend(first, _agent));
        Assert.True(_queue.TryAppend(second, alsoAsks));
        Assert.Equal([first, second], _journal.Taken);
        var reason = new JournalUnavailableException("The test took the journal away.");
        _journal.Observers[0].OnFailed(first, reason);
        Assert.Same(reason, await _agent.Ended);
        Assert.False(alsoAsks.Ended.IsCompleted);
        // It is not asked again: nothing in Orleans repeats a write.
        Assert.Equal(2, _journal.Taken.Count);
    }

    [Fact]
    public void A_full_queue_takes_nothing_and_tells_nobody()
    {
        _journal.IsFull = true;
        Assert.False(_queue.TryAppend(Unit(), _agent));
        Assert.False(_agent.Ended.IsCompleted);
        Assert.Empty(_grain.Applied);
    }

    [Fact]
    public void A_journal_that_is_closing_is_said_to_whoever_commits()
    {
        _journal.Closing = new JournalUnavailableException("The journal is closing; nothing was written.");
        Assert.Same(_journal.Closing, Assert.Throws<JournalUnavailableException>(() => _queue.TryAppend(Unit(), _agent)));
        Assert.False(_agent.Ended.IsCompleted);
    }

    [Fact]
    public void What_does_not_fit_an_agents_log_is_refused_not_guessed()
    {
        var append = new AgentAppend(Unit(), _agent);
        Assert.Throws<NotSupportedException>(() => _log.Submit(append));
        Assert.Throws<NotSupportedException>(() => _log.SubmitRange([append]));
        Assert.Throws<NotSupportedException>(() => { _ = _log.TryAppendRange([append]); });
        Assert.Throws<NotSupportedException>(() => { _ = _log.RetrieveLogSegment(0, 1); });
        Assert.Throws<NotSupportedException>(() => _log.TentativeView);
        Assert.Empty(_journal.Taken);
    }

    private static AppendUnit Unit()
    {
        var agent = new AgentId("default", "a");
        CommitHash genesis = CommitHash.Genesis(agent);
        var commit = new JournalCommit(AgentVersion.None.Next, default, default, Guid.NewGuid(), genesis, "{}"u8.ToArray());
        return new AppendUnit([new AppendRun(new JournalHandle(agent), AgentVersion.None, genesis, [commit])]);
    }

    private sealed class StubQueue : IAppendQueue
    {
        public List<AppendUnit> Taken { get; } = [];

        public List<IAppendObserver> Observers { get; } = [];

        public bool IsFull { get; set; }

        public JournalUnavailableException? Closing { get; set; }

        public bool TryAppend(AppendUnit unit, IAppendObserver observer)
        {
            if (Closing is not null)
                throw Closing;
            if (IsFull)
                return false;
            Taken.Add(unit);
            Observers.Add(observer);
            return true;
        }

        public ValueTask WaitForRoomAsync(AgentId agent, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }

    /// <summary>Applies an event as the grain does.</summary>
    private sealed class Host : ILogViewAdaptorHost<AgentView, AgentAppend>
    {
        public List<AgentAppend> Applied { get; } = [];

        public void UpdateView(AgentView view, AgentAppend entry)
        {
            Applied.Add(entry);
            entry.Tell();
        }

        public void OnViewChanged(bool tentative, bool confirmed) => Assert.True(confirmed && !tentative);

        public void OnConnectionIssue(ConnectionIssue connectionIssue) => Assert.Fail("The log has no connection.");

        public void OnConnectionIssueResolved(ConnectionIssue connectionIssue) => Assert.Fail("The log has no connection.");
    }
}

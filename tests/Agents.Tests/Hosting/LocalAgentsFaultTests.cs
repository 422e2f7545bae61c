using Statehouse.Agents.Hosting;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>What callers see when appends are slow, fail, or succeed without anybody hearing of it.</summary>
public sealed class LocalAgentsFaultTests : IAsyncLifetime
{
    private readonly MemoryStore _store = new();
    private readonly List<TaskCompletionSource> _held = [];
    private TestHost _host = null!;

    private static AgentId A => new("default", "a");

    private IAgentState Agent => _host.Agent("a");

    public ValueTask InitializeAsync()
    {
        _host = new TestHost(_store, new LocalAgentsOptions { TurnPatience = TimeSpan.FromSeconds(5) });
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        // A test that fails in the middle leaves its writes held; the host drains them before it ends.
        _held.ForEach(held => held.TrySetResult());
        return _host.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_acknowledged_or_shown_before_the_append_is_durable()
    {
        await Agent.CommitAsync(Put("k", "1"));
        TaskCompletionSource held = Hold();
        var reached = new TaskCompletionSource();
        _store.BeforeWrite = _ =>
        {
            reached.TrySetResult();
            return held.Task;
        };
        Task<CommitReceipt> commit = Agent.CommitAsync(Put("k", "2"));
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(10), Cancellation);

        Assert.False(commit.IsCompleted);
        Assert.Equal("1", await Agent.ReadAsync("k"));
        Assert.Equal("1", await Agent.ReadAsync("k", consistency: Consistency.Strong));
        Assert.Single(await Agent.HistoryAsync());
        held.SetResult();
        await commit;
        Assert.Equal("2", await Agent.ReadAsync("k"));
    }

    [Fact]
    public async Task A_hot_agent_pipelines_its_commits_into_few_batches()
    {
        await Agent.CommitAsync(Put("k", "0"));
        TaskCompletionSource held = Hold();
        var reached = new TaskCompletionSource();
        _store.BeforeWrite = _ =>
        {
            reached.TrySetResult();
            return held.Task;
        };
        Task<CommitReceipt>[] commits = [.. Enumerable.Range(1, 200).Select(i => Agent.CommitAsync(Put("k", $"{i}")))];
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(10), Cancellation);
        int before = _store.Batches.Count;
        held.SetResult();
        CommitReceipt[] receipts = await Task.WhenAll(commits);

        Assert.Equal(Enumerable.Range(2, 200).Select(i => (long)i), receipts.Select(receipt => receipt.Version.Value));
        Assert.True(_store.Batches.Count - before <= 3, $"{_store.Batches.Count - before} batches for 200 commits of one agent");
    }

    [Fact]
    public async Task A_refusal_that_rests_on_an_unconfirmed_commit_is_given_only_when_that_is_durable()
    {
        await Agent.CommitAsync(Put("k", "1"));
        TaskCompletionSource held = Hold();
        _store.BeforeWrite = _ => held.Task;
        Task<CommitReceipt> first = Agent.CommitAsync(Put("k", "2", ifVersion: 1));
        Task<CommitReceipt> second = Agent.CommitAsync(Put("k", "3", ifVersion: 1));
        await Task.Yield();
        Assert.False(second.IsCompleted);
        held.SetResult();
        await first;
        Assert.Equal(ErrorCode.Conflict, (await RefusalAsync(() => second)).Code);
    }

    [Fact]
    public async Task A_commit_decided_on_a_failed_one_is_decided_again_without_it()
    {
        await Agent.CommitAsync(Put("k", "1"));
        TaskCompletionSource held = Hold();
        _store.BeforeWrite = async _ =>
        {
            await held.Task;
            _store.BeforeWrite = null;
            throw new JournalUnavailableException("The test took the journal away.");
        };
        Task<CommitReceipt> fails = Agent.CommitAsync(Put("k", "2", ifVersion: 1));
        Task<CommitReceipt> rests = Agent.CommitAsync(Put("k", "3", ifVersion: 1));
        held.SetResult();
        Assert.Equal(ErrorCode.JournalUnavailable, (await Assert.ThrowsAsync<JournalUnavailableException>(() => fails)).Code);
        Assert.Equal(2, (await rests).Version.Value);
        Assert.Equal("3", await Agent.ReadAsync("k"));
        Assert.Equal(2, _store.JournalOf(A).Count);
    }

    [Fact]
    public async Task Reply_lost_after_the_write_the_commit_is_found_and_acknowledged_once()
    {
        _store.AfterWrite = _ =>
        {
            _store.AfterWrite = null;
            throw new JournalOutcomeUnknownException("The test lost the reply.");
        };
        CommitReceipt receipt = await Agent.CommitAsync(Put("k", "1"));
        Assert.Equal(1, receipt.Version.Value);
        Assert.True(receipt.CommitTs > CommitTs.None);
        Assert.Single(_store.JournalOf(A));
        Assert.Equal("1", await Agent.ReadAsync("k"));
        await Agent.CommitAsync(Put("k", "2"));
    }

    [Fact]
    public async Task Reply_lost_before_the_write_the_outcome_is_unknown_and_nothing_is_there()
    {
        _store.BeforeWrite = _ =>
        {
            _store.BeforeWrite = null;
            throw new JournalOutcomeUnknownException("The test lost the request.");
        };
        await Assert.ThrowsAsync<JournalOutcomeUnknownException>(() => Agent.CommitAsync(Put("k", "1")));
        Assert.Null(await Agent.ReadAsync("k"));
        Assert.Equal(1, (await Agent.CommitAsync(Put("k", "2"))).Version.Value);
    }

    [Fact]
    public async Task Commits_queued_behind_a_lost_reply_are_all_there_or_refused_and_never_twice()
    {
        await Agent.CommitAsync(Put("k", "0"));
        int writes = 0;
        _store.AfterWrite = _ => Interlocked.Increment(ref writes) % 3 == 0
            ? throw new JournalOutcomeUnknownException("The test lost the reply.")
            : Task.CompletedTask;
        _store.BeforeWrite = _ => Interlocked.Increment(ref writes) % 5 == 0
            ? throw new JournalUnavailableException("The test took the journal away.")
            : Task.CompletedTask;
        int acknowledged = 0;
        int unknown = 0;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(w => Task.Run(async () =>
        {
            for (int i = 0; i < 25; i++)
            {
                try
                {
                    await Agent.CommitAsync(Put($"w{w}", $"{i}"));
                    Interlocked.Increment(ref acknowledged);
                }
                catch (JournalUnavailableException)
                {
                    // Nothing was written.
                }
                catch (JournalOutcomeUnknownException)
                {
                    Interlocked.Increment(ref unknown);
                }
            }
        }, Cancellation)));
        // A lost reply whose rows are there is resolved by a look into the journal; what stays unknown was not written.
        Assert.Equal(acknowledged + 1, _store.JournalOf(A).Count);
        Assert.True(acknowledged > 100, $"only {acknowledged} of 400 were acknowledged, {unknown} unknown");
        await AssertLiveStateIsTheFoldAsync();
    }

    [Fact]
    public async Task While_the_journal_is_away_commits_say_so_and_reads_go_on()
    {
        await Agent.CommitAsync(Put("k", "1"));
        _store.IsAway = true;
        Assert.Equal(ErrorCode.JournalUnavailable, (await Assert.ThrowsAsync<JournalUnavailableException>(() => Agent.CommitAsync(Put("k", "2")))).Code);
        Assert.Equal("1", await Agent.ReadAsync("k"));
        await Assert.ThrowsAsync<JournalUnavailableException>(() => _host.Agent("unloaded").ReadAsync("k"));
        await Assert.ThrowsAsync<JournalUnavailableException>(() => Agent.ReadAsync("k", consistency: Consistency.Strong));
        _store.IsAway = false;
        Assert.Equal(2, (await Agent.CommitAsync(Put("k", "2"))).Version.Value);
        Assert.Null(await _host.Agent("unloaded").ReadAsync("k"));
    }

    [Fact]
    public async Task A_full_queue_is_back_pressure_and_then_busy()
    {
        await using var host = new TestHost(_store, groupCommit: new Journal.GroupCommit.GroupCommitOptions
        {
            QueuedUnitsMax = 4,
            BusyPatience = TimeSpan.FromMilliseconds(50),
        });
        TaskCompletionSource held = Hold();
        _store.BeforeWrite = _ => held.Task;
        Task<CommitReceipt>[] commits = [.. Enumerable.Range(0, 12).Select(i => host.Agent("a").CommitAsync(Put($"k{i}", "1")))];
        var waiting = commits.ToList();
        for (int refused = 0; refused < 8; refused++)
        {
            Task<CommitReceipt> ended = await Task.WhenAny(waiting).WaitAsync(TimeSpan.FromSeconds(10), Cancellation);
            await Assert.ThrowsAsync<JournalBusyException>(() => ended);
            waiting.Remove(ended);
        }
        held.SetResult();
        await Task.WhenAll(waiting);
        Assert.Equal(4, _store.JournalOf(A).Count);
    }

    [Fact]
    public async Task Two_hosts_that_each_believe_they_are_alone_keep_every_acknowledged_commit()
    {
        await using var other = new TestHost(_store);
        IAgentState[] both = [Agent, other.Agent("a")];
        var acknowledged = new System.Collections.Concurrent.ConcurrentBag<long>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(w => Task.Run(async () =>
        {
            for (int i = 0; i < 25; i++)
            {
                try
                {
                    acknowledged.Add((await both[w % 2].CommitAsync(Put($"w{w}", $"{i}"))).Version.Value);
                }
                catch (StateConflictException)
                {
                    // The other host was busier; nothing was written.
                }
            }
        }, Cancellation)));
        Assert.Equal(acknowledged.Count, acknowledged.Distinct().Count());
        Assert.Equal(acknowledged.Order(), _store.JournalOf(A).Select(commit => commit.Version.Value));
        await AssertLiveStateIsTheFoldAsync();
        for (int w = 0; w < 8; w++)
            Assert.Equal(await both[0].ReadAsync($"w{w}", consistency: Consistency.Strong), await both[1].ReadAsync($"w{w}", consistency: Consistency.Strong));
    }

    [Fact]
    public async Task Two_hosts_incrementing_one_counter_lose_no_update()
    {
        await using var other = new TestHost(_store);
        IAgentState[] both = [Agent, other.Agent("a")];
        await both[0].CommitAsync(Put("n", "0"));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(w => Task.Run(async () =>
        {
            for (int done = 0; done < 20;)
            {
                KeyState now = await both[w % 2].GetAsync("n", consistency: Consistency.Strong);
                try
                {
                    await both[w % 2].CommitAsync(Put("n", $"{int.Parse(now.Value.ToString(), null) + 1}", now.Version.Value));
                    done++;
                }
                catch (StateConflictException)
                {
                    // Read again.
                }
            }
        }, Cancellation)));
        Assert.Equal("80", await both[1].ReadAsync("n", consistency: Consistency.Strong));
    }

    [Fact]
    public async Task A_follower_sees_what_another_host_writes()
    {
        await using var other = new TestHost(_store);
        await using IAsyncEnumerator<JournalCommit> follower = Agent.ReplayAsync(AgentVersion.None, follow: true, Cancellation).GetAsyncEnumerator(Cancellation);
        for (int i = 1; i <= 5; i++)
        {
            ValueTask<bool> next = follower.MoveNextAsync();
            await other.Agent("a").CommitAsync(Put("k", $"{i}"));
            Assert.True(await next.AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancellation));
            Assert.Equal(i, follower.Current.Version.Value);
        }
    }

    [Fact]
    public async Task A_transaction_whose_reply_was_lost_is_found_and_shown_on_all_its_agents()
    {
        _store.AfterWrite = _ =>
        {
            _store.AfterWrite = null;
            throw new JournalOutcomeUnknownException("The test lost the reply.");
        };
        var receipts = await _host.Agents.CommitTogetherAsync(
            Together((A, Commit(Put("k", "1"))), (new AgentId("default", "b"), Commit(Put("k", "1")))), Cancellation);
        Assert.Single(receipts.Select(receipt => receipt.CommitTs).Distinct());
        Assert.Equal("1", await Agent.ReadAsync("k"));
        Assert.Equal("1", await _host.Agent("b").ReadAsync("k"));
        Assert.Single(_store.JournalOf(A));
    }

    [Fact]
    public async Task A_transaction_that_fails_leaves_its_agents_free_and_unchanged()
    {
        _store.BeforeWrite = _ =>
        {
            _store.BeforeWrite = null;
            throw new JournalUnavailableException("The test took the journal away.");
        };
        await Assert.ThrowsAsync<JournalUnavailableException>(async () => await _host.Agents.CommitTogetherAsync(
            Together((A, Commit(Put("k", "1"))), (new AgentId("default", "b"), Commit(Put("k", "1")))), Cancellation));
        Assert.Empty(_store.JournalOf(A));
        await Agent.CommitAsync(Put("k", "2"));
        await _host.Agent("b").CommitAsync(Put("k", "2"));
    }

    [Fact]
    public async Task A_repeated_transaction_is_known_on_another_host_that_loaded_only_some_of_its_agents_before()
    {
        await using var other = new TestHost(_store);
        AgentId b = new("default", "b");
        await Agent.CommitAsync(Put("k", "0"));
        await other.Agent("a").ReadAsync("k");
        var request = Together(
            (A, Commit(Put("k", "1")) with { IdempotencyKey = "once" }), (b, Commit(Put("k", "1")) with { IdempotencyKey = "once" }));
        var first = await _host.Agents.CommitTogetherAsync(request, Cancellation);
        var again = await other.Agents.CommitTogetherAsync(request, Cancellation);
        Assert.Equal(first.Select(receipt => (receipt.Version, receipt.TxnId, receipt.CommitTs)), again.Select(receipt => (receipt.Version, receipt.TxnId, receipt.CommitTs)));

        // And what was used for one of them only is still another use of the key.
        await Agent.CommitAsync(Commit(Put("k", "2")) with { IdempotencyKey = "alone" }, Cancellation);
        Assert.Equal(ErrorCode.IdempotencyKeyReused, (await RefusalAsync(async () => await other.Agents.CommitTogetherAsync(
            Together((A, Commit(Put("k", "2")) with { IdempotencyKey = "alone" }), (b, Commit(Put("k", "2")) with { IdempotencyKey = "alone" })), Cancellation))).Code);
        Assert.Single(_store.JournalOf(b));
    }

    [Fact]
    public async Task A_tampered_commit_stops_its_agent_and_no_other()
    {
        await Agent.CommitAsync(Put("k", "1"));
        await Agent.CommitAsync(Put("k", "2"));
        await _host.Agent("b").CommitAsync(Put("k", "1"));
        JournalCommit first = _store.JournalOf(A)[0];
        byte[] body = first.Body.ToArray();
        body[Array.IndexOf(body, (byte)'1')] = (byte)'9';
        _store.Replace(A, first with { Body = body });

        await using var restarted = new TestHost(_store);
        var broken = await Assert.ThrowsAsync<InvariantBrokenException>(() => restarted.Agent("a").ReadAsync("k"));
        Assert.Contains("version 1", broken.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvariantBrokenException>(() => restarted.Agent("a").CommitAsync(Put("k", "3")));
        Assert.Equal("1", await restarted.Agent("b").ReadAsync("k"));
    }

    [Fact]
    public async Task Cancelled_callers_leave_their_commit_to_its_fate_and_the_agent_in_order()
    {
        TaskCompletionSource held = Hold();
        var reached = new TaskCompletionSource();
        _store.BeforeWrite = _ =>
        {
            reached.TrySetResult();
            return held.Task;
        };
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<CommitReceipt> commit = Agent.CommitAsync(Commit(Put("k", "1")), caller.Token).AsTask();
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(10), Cancellation);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => commit);
        held.SetResult();
        Assert.Equal(2, (await Agent.CommitAsync(Put("k", "2"))).Version.Value);
        Assert.Equal("1", await Agent.ReadAsync("k", ReadPoint.AtVersion(new AgentVersion(1))));
    }

    [Fact]
    public async Task A_clock_that_goes_back_does_not_take_an_agents_time_with_it()
    {
        var clock = new ManualClock();
        await using var host = new TestHost(_store, clock: clock);
        CommitReceipt first = await host.Agent("a").CommitAsync(Put("k", "1"));
        clock.Advance(TimeSpan.FromHours(-1));
        CommitReceipt second = await host.Agent("a").CommitAsync(Put("k", "2"));
        Assert.Equal(first.Time, second.Time);
        CommitReceipt elsewhere = await host.Agent("b").CommitAsync(Put("k", "1"));
        Assert.True(elsewhere.Time < first.Time);
    }

    /// <summary>Something for writes to wait on, let go at the latest when the test ends.</summary>
    private TaskCompletionSource Hold()
    {
        var held = new TaskCompletionSource();
        _held.Add(held);
        return held;
    }

    private async Task AssertLiveStateIsTheFoldAsync()
    {
        await using var fresh = new TestHost(_store);
        ScanPage live = await _host.Agent("a").ScanAsync(new ScanRequest(default, default, 1000, Consistency: Consistency.Strong), Cancellation);
        ScanPage folded = await fresh.Agent("a").ScanAsync();
        Assert.Equal(folded.AgentVersion, live.AgentVersion);
        Assert.Equal(folded.Items.Select(Shown), live.Items.Select(Shown));
    }

    private static string Shown(KeyState state) => $"{state.Key} v{state.Version} ts{state.CommitTs} {state.Time} {state.Value}";
}

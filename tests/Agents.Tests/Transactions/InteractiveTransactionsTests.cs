using System.Collections.Immutable;
using Statehouse.Agents.Tests.Hosting;
using Statehouse.Agents.Transactions;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Transactions;

public sealed class InteractiveTransactionsTests : IAsyncLifetime
{
    private readonly MemoryStore _store = new();
    private readonly ManualClock _clock = new();
    private TestHost _host = null!;
    private InteractiveTransactions _transactions = null!;

    private static AgentId A => new("default", "a");

    private static AgentId B => new("other", "b");

    public ValueTask InitializeAsync()
    {
        _host = new TestHost(_store, clock: _clock);
        _transactions = new InteractiveTransactions(_host.Agents, Limits.Default with { OpenTransactionsMax = 100, StagedBytesMax = 10_000 }, _clock);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _transactions.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task What_is_staged_is_invisible_outside_and_visible_inside_until_it_is_committed()
    {
        await _host.Agent("a").CommitAsync(Put("k", "1"));
        Guid txn = _transactions.Begin(null);
        Stage(txn, A, Put("k", "2"), Put("k", "3"), Delete("gone"));
        KeyState inside = await ReadAsync(txn, A, "k");
        Assert.Equal(("3", 3L), (inside.Value.ToString(), inside.Version.Value));
        KeyState gone = await ReadAsync(txn, A, "gone");
        Assert.Equal((false, 1L), (gone.Exists, gone.Version.Value));
        Assert.Equal("1", await _host.Agent("a").ReadAsync("k"));

        Stage(txn, B, Put("k", "1"));
        ImmutableArray<TransactionCommit> commits = await _transactions.CommitAsync(txn, Cancellation);
        Assert.Equal([A, B], commits.Select(commit => commit.Agent));
        Assert.Single(commits.Select(commit => commit.Receipt.CommitTs).Distinct());
        Assert.All(commits, commit => Assert.Equal(txn, commit.Receipt.TxnId));
        Assert.Equal("3", await _host.Agent("a").ReadAsync("k"));
    }

    [Fact]
    public async Task Committing_again_returns_the_same_receipts_and_writes_nothing()
    {
        Guid txn = _transactions.Begin(null);
        Stage(txn, A, Put("k", "1"));
        ImmutableArray<TransactionCommit> first = await _transactions.CommitAsync(txn, Cancellation);
        ImmutableArray<TransactionCommit> again = await _transactions.CommitAsync(txn, Cancellation);
        Assert.Equal(first[0].Receipt, again[0].Receipt);
        Assert.Single(_store.JournalOf(A));
    }

    [Fact]
    public async Task A_read_that_no_longer_holds_refuses_the_commit_and_ends_the_transaction()
    {
        await _host.Agent("a").CommitAsync(Put("k", "1"));
        Guid txn = _transactions.Begin(null);
        await ReadAsync(txn, A, "k");
        Stage(txn, A, Put("sum", "1"));
        await _host.Agent("a").CommitAsync(Put("k", "2"));
        Assert.Equal(ErrorCode.Conflict, (await RefusalAsync(async () => await _transactions.CommitAsync(txn, Cancellation))).Code);
        Assert.Equal(ErrorCode.TransactionNotFound, (await RefusalAsync(async () => await _transactions.CommitAsync(txn, Cancellation))).Code);
        Assert.Null(await _host.Agent("a").ReadAsync("sum"));
    }

    [Fact]
    public async Task A_read_of_an_agent_that_is_not_written_is_checked_too()
    {
        await _host.Agent("a").CommitAsync(Put("k", "1"));
        Guid txn = _transactions.Begin(null);
        await ReadAsync(txn, A, "k");
        Stage(txn, B, Put("copy", "1"));
        await _host.Agent("a").CommitAsync(Put("k", "2"));
        StatehouseException refusal = await RefusalAsync(async () => await _transactions.CommitAsync(txn, Cancellation));
        Assert.Equal((ErrorCode.Conflict, "k"), (refusal.Code, refusal.Details["key"]));
        Assert.Empty(_store.JournalOf(B));
    }

    [Fact]
    public async Task Of_two_transactions_that_each_read_what_the_other_writes_only_one_commits()
    {
        for (int round = 0; round < 20; round++)
        {
            Guid left = _transactions.Begin(null);
            Guid right = _transactions.Begin(null);
            await ReadAsync(left, A, "k");
            Stage(left, B, Put("k", $"{round}"));
            await ReadAsync(right, B, "k");
            Stage(right, A, Put("k", $"{round}"));
            Task<bool>[] both = [CommitsAsync(left), CommitsAsync(right)];
            Assert.Equal(1, (await Task.WhenAll(both)).Count(committed => committed));
        }
    }

    [Fact]
    public async Task Reads_of_one_agent_in_one_transaction_are_of_one_version()
    {
        await _host.Agent("a").CommitAsync(Put("x", "1"), Put("y", "1"));
        Guid txn = _transactions.Begin(null);
        Assert.Equal("1", (await ReadAsync(txn, A, "x")).Value.ToString());
        await _host.Agent("a").CommitAsync(Put("x", "2"), Put("y", "2"));
        Assert.Equal("1", (await ReadAsync(txn, A, "y")).Value.ToString());
        Assert.Equal("1", (await ReadAsync(txn, A, "x")).Value.ToString());
    }

    [Fact]
    public async Task Unknown_aborted_and_expired_transactions_say_which_they_are()
    {
        Assert.Equal(ErrorCode.TransactionNotFound, (await RefusalAsync(async () => await _transactions.CommitAsync(Guid.NewGuid(), Cancellation))).Code);
        Guid aborted = _transactions.Begin(null);
        _transactions.Abort(aborted);
        _transactions.Abort(aborted);
        Assert.Equal(ErrorCode.TransactionNotFound, (await RefusalAsync(() => Task.Run(() => Stage(aborted, A, Put("k", "1"))))).Code);
        Guid expired = _transactions.Begin(TimeSpan.FromMilliseconds(100));
        Stage(expired, A, Put("k", "1"));
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(ErrorCode.TransactionExpired, (await RefusalAsync(async () => await _transactions.CommitAsync(expired, Cancellation))).Code);
        _transactions.Abort(expired);
        Assert.Empty(_store.JournalOf(A));
    }

    [Fact]
    public async Task Timeouts_out_of_range_are_refused()
    {
        foreach (double ms in new[] { 0, -1, 600_001.0 })
            Assert.Equal(ErrorCode.InvalidArgument, (await RefusalAsync(() => Task.Run(() => _transactions.Begin(TimeSpan.FromMilliseconds(ms))))).Code);
    }

    [Fact]
    public async Task Too_many_open_transactions_or_staged_bytes_are_refused_until_some_end()
    {
        var open = Enumerable.Range(0, 100).Select(_ => _transactions.Begin(TimeSpan.FromSeconds(1))).ToList();
        Assert.Throws<JournalBusyException>(() => _transactions.Begin(null));
        Stage(open[0], A, Put("k", $"\"{new string('v', 9_000)}\""));
        StatehouseException refusal = await RefusalAsync(() => Task.Run(() => Stage(open[1], A, Put("k", $"\"{new string('v', 2_000)}\""))));
        Assert.Equal(ErrorCode.LimitExceeded, refusal.Code);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Guid next = _transactions.Begin(null);
        Stage(next, A, Put("k", $"\"{new string('v', 9_000)}\""));
        await _transactions.CommitAsync(next, Cancellation);
    }

    [Fact]
    public async Task After_an_unknown_outcome_a_second_commit_finds_what_the_first_one_wrote()
    {
        Guid txn = _transactions.Begin(null);
        Stage(txn, A, Put("k", "1"));
        Stage(txn, B, Put("k", "1"));
        _store.AfterWrite = _ =>
        {
            _store.IsAway = true;
            throw new JournalOutcomeUnknownException("The test lost the reply and the journal.");
        };
        await Assert.ThrowsAsync<JournalOutcomeUnknownException>(async () => await _transactions.CommitAsync(txn, Cancellation));
        _store.AfterWrite = null;
        _store.IsAway = false;
        ImmutableArray<TransactionCommit> commits = await _transactions.CommitAsync(txn, Cancellation);
        Assert.Equal(2, commits.Length);
        Assert.Single(_store.JournalOf(A));
        Assert.Single(_store.JournalOf(B));
        Assert.Equal("1", await _host.Agent("a").ReadAsync("k"));
    }

    [Fact]
    public async Task An_attempt_that_comes_through_late_is_not_committed_twice()
    {
        await _host.Agent("a").CommitAsync(Put("k", "0"));
        Guid txn = _transactions.Begin(null);
        Stage(txn, A, Put("k", "1"));
        IReadOnlyList<AppendUnit>? late = null;
        _store.BeforeWrite = batch =>
        {
            late = batch;
            throw new JournalOutcomeUnknownException("The test holds the request back.");
        };
        await Assert.ThrowsAsync<JournalOutcomeUnknownException>(async () => await _transactions.CommitAsync(txn, Cancellation));
        // The held-back request reaches the database just before the second attempt's does.
        _store.BeforeWrite = async _ =>
        {
            _store.BeforeWrite = null;
            await _store.WriteAsync(late!, Cancellation);
        };
        await _transactions.CommitAsync(txn, Cancellation);
        Assert.Equal(2, _store.JournalOf(A).Count);
        Assert.Single(_store.JournalOf(A), commit => commit.TxnId == txn);
    }

    [Fact]
    public async Task A_caller_that_leaves_in_mid_commit_and_comes_back_finds_one_commit()
    {
        Guid txn = _transactions.Begin(null);
        Stage(txn, A, Put("k", "1"));
        var held = new TaskCompletionSource();
        var reached = new TaskCompletionSource();
        _store.BeforeWrite = _ =>
        {
            reached.TrySetResult();
            return held.Task;
        };
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<ImmutableArray<TransactionCommit>> commit = _transactions.CommitAsync(txn, caller.Token).AsTask();
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(10), Cancellation);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => commit);
        await Assert.ThrowsAsync<JournalBusyException>(async () => await _transactions.CommitAsync(txn, Cancellation));
        held.SetResult();
        ImmutableArray<TransactionCommit> found = await CommitWhenFreeAsync(txn);
        Assert.Equal(1, Assert.Single(found).Receipt.Version.Value);
        Assert.Single(_store.JournalOf(A));
    }

    private async Task<ImmutableArray<TransactionCommit>> CommitWhenFreeAsync(Guid txn)
    {
        for (int i = 0; i < 1000; i++)
        {
            try
            {
                return await _transactions.CommitAsync(txn, Cancellation);
            }
            catch (JournalBusyException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), Cancellation);
            }
        }
        throw new TimeoutException("The first commit of the transaction did not end.");
    }

    [Fact]
    public async Task A_transaction_that_staged_nothing_commits_to_nothing()
    {
        Guid txn = _transactions.Begin(null);
        await ReadAsync(txn, A, "k");
        Assert.Empty(await _transactions.CommitAsync(txn, Cancellation));
    }

    private async Task<bool> CommitsAsync(Guid txn)
    {
        try
        {
            await _transactions.CommitAsync(txn, Cancellation);
            return true;
        }
        catch (StateConflictException)
        {
            return false;
        }
    }

    private void Stage(Guid txn, AgentId agent, params Operation[] operations) =>
        _transactions.Stage(txn, [.. operations.Select(operation => new StagedOperation(agent, operation))]);

    private async Task<KeyState> ReadAsync(Guid txn, AgentId agent, string key) =>
        await _transactions.GetAsync(txn, agent, new Key(key), Cancellation);
}

using Statehouse.Agents.Hosting;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>Callers that give a commit up while it is on its way: that ends their waiting, and nothing else.</summary>
public sealed class CommitPatienceTests : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly MemoryStore _store = new();
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TestHost _host = null!;

    private IAgentState Agent => _host.Agent("a");

    public ValueTask InitializeAsync()
    {
        _host = new TestHost(_store, new LocalAgentsOptions());
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _held.TrySetResult();
        return _host.DisposeAsync();
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_told_at_once_and_its_commit_goes_on()
    {
        await HoldWritesAsync();
        using var patience = new CancellationTokenSource();
        Task<CommitReceipt> commit = Agent.CommitAsync(Commit(Put("k", "2")), patience.Token).AsTask();
        await _reached.Task.WaitAsync(Bound, Cancellation);
        await patience.CancelAsync();
        OperationCanceledException given = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => commit.WaitAsync(Bound, Cancellation));
        Assert.Equal(patience.Token, given.CancellationToken);
        Assert.Equal("1", await Agent.ReadAsync("k"));

        _held.SetResult();
        Assert.Equal(3, (await Agent.CommitAsync(Put("k", "3"))).Version.Value);
        Assert.Equal(["1", "2", "3"], (await Agent.HistoryAsync()).Select(commit => commit.Version.ToString()));
    }

    [Fact]
    public async Task A_caller_whose_patience_was_over_before_it_asked_is_told_at_once()
    {
        await HoldWritesAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Agent.CommitAsync(Commit(Put("k", "2")), new CancellationToken(canceled: true)));
        // It was queued all the same: who does not wait for a commit cannot say how far it comes.
        _held.SetResult();
        Assert.Equal(3, (await Agent.CommitAsync(Put("k", "3"))).Version.Value);
    }

    [Fact]
    public async Task An_answer_that_rests_on_a_commit_which_its_caller_gave_up_waits_for_that_commit()
    {
        await HoldWritesAsync();
        using var patience = new CancellationTokenSource();
        CommitRequest keyed = Commit(Put("k", "2")) with { IdempotencyKey = "once" };
        Task<CommitReceipt> first = Agent.CommitAsync(keyed, patience.Token).AsTask();
        await _reached.Task.WaitAsync(Bound, Cancellation);
        Task<CommitReceipt>[] repeats = [.. Enumerable.Range(0, 3).Select(_ => Agent.CommitAsync(keyed, Cancellation).AsTask())];
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.DoesNotContain(repeats, repeat => repeat.IsCompleted);

        _held.SetResult();
        Assert.All(await Task.WhenAll(repeats), receipt => Assert.Equal((2, true), (receipt.Version.Value, receipt.Replayed)));
    }

    [Fact]
    public async Task Whoever_gives_up_just_when_the_commit_ends_gets_its_receipt_or_is_told_and_nothing_else()
    {
        const int commits = 2_000;
        int told = 0;
        for (int i = 1; i <= commits; i++)
        {
            using var patience = new CancellationTokenSource();
            Task giving = Task.CompletedTask;
            bool isRace = i % 2 == 0;
            // Between the write and its acknowledgement: before it, or at the same time.
            _store.AfterWrite = _ =>
            {
                giving = Task.Run(patience.Cancel);
                return isRace ? Task.CompletedTask : giving;
            };
            try
            {
                CommitReceipt receipt = await Agent.CommitAsync(Commit(Put("k", $"{i}")), patience.Token).AsTask().WaitAsync(Bound, Cancellation);
                Assert.Equal(i, receipt.Version.Value);
            }
            catch (OperationCanceledException) when (patience.IsCancellationRequested)
            {
                told++;
            }
            await giving.WaitAsync(Bound, Cancellation);
        }
        _store.AfterWrite = null;
        Assert.Equal(commits + 1, (await Agent.CommitAsync(Put("k", "0"))).Version.Value);
        // Not exactly how many: a caller may come to wait when its commit has ended already, and then it has its receipt.
        Assert.InRange(told, 1, commits);
    }

    private async Task HoldWritesAsync()
    {
        await Agent.CommitAsync(Put("k", "1"));
        _store.BeforeWrite = _ =>
        {
            _reached.TrySetResult();
            return _held.Task;
        };
    }
}

using Statehouse.Agents;

namespace Statehouse.Costs.Tests.Sqlite;

/// <summary>What a commit costs on the embedded journal: statements and fsyncs are exact, whatever the machine does meanwhile.</summary>
public sealed class SqliteCommitCosts : IAsyncLifetime
{
    private readonly SqliteFolder _folder = new();
    private AgentsUnderTest _agents = null!;

    public async ValueTask InitializeAsync()
    {
        _agents = await _folder.OpenAsync();
        // The first read of a process opens a connection, and configures it; the first commit begins a WAL.
        await _agents.PutAsync("another");
    }

    public async ValueTask DisposeAsync()
    {
        await _agents.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_commit_is_one_transaction_of_three_statements_and_one_fsync()
    {
        await _agents.PutAsync("a");
        SqliteCounts counts = await SqliteFolder.CountAsync(() => _agents.PutInTurnAsync("a", 50));
        Assert.Equal("begin ×50, commit ×50, commit-insert ×50, feed-end ×50, stream-advance ×50", counts.Statements);
        Assert.Equal((50, 0), (counts.WalSyncs, counts.DatabaseSyncs));
    }

    [Fact]
    public async Task A_batch_of_100_agents_is_one_transaction_and_one_fsync()
    {
        string[] agents = await _agents.CreateAsync(101);
        SqliteCounts counts = await SqliteFolder.CountAsync(() => _agents.PutInTwoBatchesAsync(agents[0], agents[1..]));
        Assert.Equal("begin ×2, commit ×2, commit-insert ×101, feed-end ×2, stream-advance ×101", counts.Statements);
        Assert.Equal((2, 0), (counts.WalSyncs, counts.DatabaseSyncs));
    }

    [Fact]
    public async Task A_batch_of_100_commits_of_one_hot_agent_moves_its_fence_once()
    {
        await _agents.PutAsync("hot");
        SqliteCounts counts = await SqliteFolder.CountAsync(() => _agents.PutInTwoBatchesAsync("hot", Enumerable.Repeat("hot", 100)));
        Assert.Equal("begin ×2, commit ×2, commit-insert ×101, feed-end ×2, stream-advance ×2", counts.Statements);
        Assert.Equal((2, 0), (counts.WalSyncs, counts.DatabaseSyncs));
    }

    [Fact]
    public async Task A_transaction_over_10_agents_is_one_transaction_and_one_fsync()
    {
        string[] agents = await _agents.CreateAsync(10);
        SqliteCounts counts = await SqliteFolder.CountAsync(async () => await _agents.PutTogetherAsync(agents));
        Assert.Equal(
            "begin ×1, commit ×1, commit-insert ×10, feed-end ×1, release-unit ×1, savepoint-unit ×1, stream-advance ×10", counts.Statements);
        Assert.Equal((1, 0), (counts.WalSyncs, counts.DatabaseSyncs));
    }

    [Fact]
    public async Task The_first_commit_of_an_agent_asks_once_whether_there_is_one()
    {
        SqliteCounts counts = await SqliteFolder.CountAsync(async () => await _agents.PutAsync("new"));
        Assert.Equal("begin ×1, commit ×1, commit-insert ×1, feed-end ×1, stream-create ×1, stream-head ×1", counts.Statements);
        Assert.Equal((1, 0), (counts.WalSyncs, counts.DatabaseSyncs));
    }

    [Fact]
    public async Task A_repeated_idempotency_key_writes_nothing_and_reads_its_commit_only()
    {
        CommitRequest request = AgentsUnderTest.Put("step", AgentsUnderTest.Value) with { IdempotencyKey = "once" };
        await _agents.CommitAsync("a", request);
        SqliteCounts counts = await SqliteFolder.CountAsync(async () => Assert.True((await _agents.CommitAsync("a", request)).Replayed));
        Assert.Equal("commits-forward ×1, stream-extent ×1", counts.Statements);
        // Where the journal ends; the commit, and the one before it, which it must chain on, are one more each.
        Assert.Equal((0, 2), (counts.WalSyncs, counts.Rows));
    }

    [Fact]
    public async Task A_refused_commit_touches_no_journal()
    {
        await _agents.PutAsync("a");
        CommitRequest request = AgentsUnderTest.Put("step", AgentsUnderTest.Value) with { IfAgentVersion = new(7) };
        SqliteCounts counts = await SqliteFolder.CountAsync(() => Assert.ThrowsAnyAsync<Exception>(async () => await _agents.CommitAsync("a", request)));
        Assert.Equal("", counts.Statements);
    }

    [Fact]
    public async Task Followers_cost_the_journal_nothing_per_commit()
    {
        await _agents.PutAsync("a");
        using var ended = new CancellationTokenSource();
        int seen = 0;
        var allSeen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task[] followers = [.. Enumerable.Range(0, 20).Select(_ => FollowAsync())];
        SqliteCounts counts = await SqliteFolder.CountAsync(async () =>
        {
            await _agents.PutInTurnAsync("a", 50);
            await allSeen.Task.WaitAsync(TimeSpan.FromSeconds(30));
        });
        await ended.CancelAsync();
        await Task.WhenAll(followers);
        Assert.Equal("begin ×50, commit ×50, commit-insert ×50, feed-end ×50, stream-advance ×50", counts.Statements);

        async Task FollowAsync()
        {
            try
            {
                await foreach (var commit in _agents["a"].ReplayAsync(new(2), follow: true, ended.Token))
                {
                    if (Interlocked.Increment(ref seen) == 20 * 50)
                        allSeen.SetResult();
                }
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                // How a follower stops.
            }
        }
    }
}

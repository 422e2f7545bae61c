using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Costs.Tests.Sqlite;

/// <summary>What reads, loads and starts cost on the embedded journal.</summary>
public sealed class SqliteReadCosts : IDisposable
{
    private readonly SqliteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Reads_and_scans_of_an_agent_in_memory_never_ask_the_journal()
    {
        await using AgentsUnderTest agents = await _folder.OpenAsync();
        await agents.PutInTurnAsync("a", 10);
        SqliteCounts counts = await SqliteFolder.CountAsync(async () =>
        {
            for (int i = 0; i < 100; i++)
                Assert.True((await agents.GetAsync("a")).Exists);
            await agents.ScanAsync("a");
        });
        Assert.Equal(("", 0), (counts.Statements, counts.DatabaseBytesRead + counts.WalBytesRead));
    }

    [Fact]
    public async Task A_strong_read_asks_once_where_the_journal_ends()
    {
        await using AgentsUnderTest agents = await _folder.OpenAsync();
        await agents.PutInTurnAsync("a", 10);
        SqliteCounts counts = await SqliteFolder.CountAsync(async () => await agents.GetAsync("a", consistency: Consistency.Strong));
        Assert.Equal(("stream-head ×1", 1), (counts.Statements, counts.Rows));
    }

    [Fact]
    public async Task A_page_of_the_feed_looks_up_one_hash_of_each_agent_it_holds_and_none_for_commits_that_it_passes_over()
    {
        await using AgentsUnderTest agents = await _folder.OpenAsync();
        await agents.PutInTurnAsync("a", 10);
        await agents.PutInTurnAsync("b", 10);
        CommitTs fifth = (await agents.Agents.ReadFeedAsync(CommitTs.None, 5, null, TestContext.Current.CancellationToken)).Through;

        Assert.Equal("feed ×1", await OfPageAsync(CommitTs.None, null));
        Assert.Equal("commit-hash ×1, feed ×1", await OfPageAsync(fifth, null));
        Assert.Equal("feed ×1", await OfPageAsync(fifth, "other"));

        async Task<string> OfPageAsync(CommitTs after, string? @namespace) => (await SqliteFolder.CountAsync(
            async () => await agents.Agents.ReadFeedAsync(after, 100, @namespace, TestContext.Current.CancellationToken))).Statements;
    }

    [Fact]
    public async Task An_agent_without_a_snapshot_is_loaded_by_four_statements_that_read_each_commit_once()
    {
        await WriteAsync(commits: 300, snapshotTailBytesMin: long.MaxValue);
        await using AgentsUnderTest agents = await _folder.OpenAsync();
        await agents.GetAsync("nobody");
        SqliteCounts counts = await SqliteFolder.CountAsync(async () => await agents.GetAsync("a"));
        Assert.Equal("commits-forward ×1, snapshots-down ×1, stream-extent ×1, stream-head ×1", counts.Statements);
        Assert.Equal(300, counts.RowsOf("commits-forward"));
    }

    [Fact]
    public async Task An_agent_with_a_snapshot_is_loaded_from_it_and_from_its_tail_only()
    {
        const long tailBytesMin = 16 * 1024;
        await WriteAsync(commits: 2_000, tailBytesMin);
        await using AgentsUnderTest agents = await _folder.OpenAsync();
        await agents.GetAsync("nobody");
        SqliteCounts counts = await SqliteFolder.CountAsync(async () => Assert.Equal(2_000, (await agents.GetAsync("a")).Version.Value));
        Assert.Equal(1, counts.RowsOf("snapshots-down"));
        // One key, so the snapshot is small and another is due after 16 KiB: 69 commits of 239 bytes. Measured 16 rows; up to
        // 70 by the moment of the last one, and more by what its writer was behind.
        Cost.AtMost("rows of the tail", counts.RowsOf("commits-forward"), recorded: 70, slack: 2);
    }

    [Fact]
    public async Task A_read_of_an_old_version_folds_at_most_a_bounded_stretch_of_the_journal()
    {
        const long tailBytesMin = 16 * 1024;
        await using AgentsUnderTest agents = await _folder.OpenAsync(tailBytesMin);
        await agents.PutInTurnAsync("a", 2_000);
        foreach (int version in (int[])[1_990, 1_500, 1_000])
        {
            SqliteCounts counts = await SqliteFolder.CountAsync(async () => await agents.GetAtAsync("a", ReadPoint.AtVersion(new(version))));
            // Measured 6, 74 and 70: from the snapshot before it. Which of them are kept depends on when they were written.
            Cost.AtMost($"rows read as of {version} of 2,000", counts.RowsOf("commits-forward"), recorded: 74, slack: 3);
            Assert.Equal(1, counts.RunsOf("commits-forward"));
        }
    }

    [Fact]
    public async Task A_read_as_of_a_time_searches_the_primary_key_by_halves()
    {
        await using AgentsUnderTest agents = await _folder.OpenAsync();
        await agents.PutInTurnAsync("a", 100);
        CommitTime middle = (await agents["a"].GetCommitAsync(new(50), TestContext.Current.CancellationToken)).Time;
        await agents.PutInTurnAsync("a", 900);
        SqliteCounts counts = await SqliteFolder.CountAsync(async () => await agents.GetAtAsync("a", ReadPoint.AtTime(middle)));
        // log2(1,000).
        Cost.AtMost("rows looked at", counts.RunsOf("commit-moment"), recorded: 10, slack: 1);
    }

    private async Task WriteAsync(int commits, long snapshotTailBytesMin)
    {
        await using AgentsUnderTest agents = await _folder.OpenAsync(snapshotTailBytesMin);
        await agents.PutInTurnAsync("a", commits);
    }
}

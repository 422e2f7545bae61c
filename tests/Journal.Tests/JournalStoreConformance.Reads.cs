namespace Statehouse.Journal.Tests;

public abstract partial class JournalStoreConformance
{
    [Fact]
    public async Task The_head_of_an_agent_without_commits_is_null()
    {
        await AppendAsync(new Commits("other"));
        Assert.Null(await Store.ReadHeadAsync(new JournalHandle(new AgentId("default", "a")), Cancellation));
    }

    [Theory]
    [InlineData(1, long.MaxValue, 1, 20)]
    [InlineData(1, 1, 1, 1)]
    [InlineData(7, 12, 7, 12)]
    [InlineData(20, 20, 20, 20)]
    [InlineData(19, 500, 19, 20)]
    [InlineData(21, 500, 1, 0)]
    [InlineData(9, 8, 1, 0)]
    public async Task A_range_reads_inclusive_clipped_to_the_head_in_both_directions(long from, long to, int first, int last)
    {
        var agent = new Commits("a");
        await AppendAsync(new Commits("before"), 3);
        await AppendAsync(agent, 20);
        await AppendAsync(new Commits("behind"), 3);
        List<JournalCommit> expected = [.. agent.Acknowledged.Skip(first - 1).Take(last - first + 1)];

        AssertSameCommits(expected, await ForwardAsync(agent, from, to));
        List<JournalCommit> backward = await Store
            .ReadBackwardAsync(agent.Handle, new AgentVersion(from), new AgentVersion(to), Cancellation).ToListAsync(Cancellation);
        expected.Reverse();
        AssertSameCommits(expected, backward);
    }

    [Fact]
    public async Task Reading_an_agent_without_commits_gives_nothing()
    {
        var nobody = new JournalHandle(new AgentId("default", "nobody"));
        AgentVersion one = new(1), many = new(10);

        Assert.Empty(await Store.ReadForwardAsync(nobody, one, many, Cancellation).ToListAsync(Cancellation));
        Assert.Empty(await Store.ReadBackwardAsync(nobody, one, many, Cancellation).ToListAsync(Cancellation));
        Assert.Equal(AgentVersion.None, await Store.FindVersionAtTimeAsync(nobody, new CommitTime(long.MaxValue), Cancellation));
        Assert.Equal(AgentVersion.None, await Store.FindVersionAtTsAsync(nobody, new CommitTs(long.MaxValue), Cancellation));
        Assert.Null(await Store.ReadSnapshotAsync(nobody, many, Cancellation));
        Assert.Empty(await Store.ListSnapshotsAsync(nobody, Cancellation));
        await Store.DeleteSnapshotsAsync(nobody, [one], Cancellation);
    }

    [Fact]
    public async Task Large_and_small_bodies_mix_in_one_range_in_both_directions()
    {
        var agent = new Commits("a");
        byte[][] bodies = [.. Enumerable.Range(0, 40).Select(i => Commits.Body(i, padding: i % 5 == 0 ? 700_000 : i))];
        await AppendAsync(agent, agent.Next(bodies));

        AssertSameCommits(agent.Acknowledged, await ForwardAsync(agent, 1, 40));
        List<JournalCommit> backward = await Store
            .ReadBackwardAsync(agent.Handle, new AgentVersion(1), new AgentVersion(40), Cancellation).ToListAsync(Cancellation);
        backward.Reverse();
        AssertSameCommits(agent.Acknowledged, backward);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1500)] // by then a store may read ahead
    public async Task A_reader_may_stop_early_and_writes_go_on_meanwhile(long stopAt)
    {
        var agent = new Commits("a");
        await AppendAsync(agent, 3000);
        // More abandoned enumerations than any pool has connections, each in mid-page.
        for (int i = 0; i < 64; i++)
        {
            long read = 0;
            await foreach (JournalCommit commit in Store.ReadForwardAsync(agent.Handle, new AgentVersion(1), agent.Version, Cancellation))
            {
                Assert.Equal(new AgentVersion(++read), commit.Version);
                if (read < stopAt)
                    continue;
                await AppendAsync(agent);
                break;
            }
        }

        await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task A_reader_that_is_cancelled_in_mid_range_hears_so_and_leaves_nothing_behind()
    {
        var agent = new Commits("a");
        await AppendAsync(agent, 3000);
        for (int i = 0; i < 64; i++)
        {
            using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (JournalCommit commit in Store.ReadForwardAsync(agent.Handle, new AgentVersion(1), agent.Version, leaving.Token))
                {
                    if (commit.Version.Value == 1500)
                        await leaving.CancelAsync();
                }
            });
        }

        await AssertJournalIsAsync(agent);
    }

    [Fact]
    public async Task A_hundred_thousand_commits_read_forward_in_flat_memory()
    {
        const int Total = 100_000;
        const long GrowthMax = 16 * 1024 * 1024;
        const int BodyPadding = 1000;
        JournalHandle handle = await AppendManyAsync(Total, BodyPadding);

        long before = GC.GetTotalMemory(forceFullCollection: true);
        long read = 0, growth = 0;
        await foreach (JournalCommit commit in Store.ReadForwardAsync(handle, new AgentVersion(1), new AgentVersion(Total), Cancellation))
        {
            Assert.Equal(++read, commit.Version.Value);
            if (read % 20_000 == 0)
                growth = Math.Max(growth, GC.GetTotalMemory(forceFullCollection: true) - before);
        }

        Assert.Equal(Total, read);
        Assert.True(growth < GrowthMax, $"Memory grew by {growth} bytes while {Total} commits of {BodyPadding} bytes were read; the bound is {GrowthMax}.");
    }

    [Fact]
    public async Task The_version_at_a_time_is_the_newest_one_not_after_it()
    {
        var agent = new Commits("a");
        CommitTime start = new(1_800_000_000_000_000);
        // 1 alone, 2 to 4 at one moment, 5 a second later.
        foreach (long offset in (long[])[0, 10, 10, 10, 1_000_000])
            await AppendAsync(agent, agent.NextAt(new CommitTime(start.UnixMicroseconds + offset)));

        Assert.Equal(0, await VersionAtAsync(-1));
        Assert.Equal(1, await VersionAtAsync(0));
        Assert.Equal(1, await VersionAtAsync(9));
        Assert.Equal(4, await VersionAtAsync(10));
        Assert.Equal(4, await VersionAtAsync(999_999));
        Assert.Equal(5, await VersionAtAsync(1_000_000));
        Assert.Equal(5, await VersionAtAsync(long.MaxValue - start.UnixMicroseconds));
        Assert.Equal(0, await VersionAtAsync(-start.UnixMicroseconds));

        async Task<long> VersionAtAsync(long offset) =>
            (await Store.FindVersionAtTimeAsync(agent.Handle, new CommitTime(start.UnixMicroseconds + offset), Cancellation)).Value;
    }

    [Fact]
    public async Task The_version_at_a_commit_ts_is_the_newest_one_not_above_it()
    {
        Commits agent = new("a"), other = new("b");
        await AppendAsync(other, 3);
        for (int i = 0; i < 13; i++)
        {
            await AppendAsync(agent);
            await AppendAsync(other, 1 + i % 3);
        }

        Assert.Equal(AgentVersion.None, await Store.FindVersionAtTsAsync(agent.Handle, CommitTs.None, Cancellation));
        foreach (CommitTs commitTs in agent.Acknowledged.Concat(other.Acknowledged).Select(c => c.CommitTs))
        {
            long expected = agent.Acknowledged.Count(c => c.CommitTs <= commitTs);
            Assert.Equal(expected, (await Store.FindVersionAtTsAsync(agent.Handle, commitTs, Cancellation)).Value);
        }
        Assert.Equal(agent.Version, await Store.FindVersionAtTsAsync(agent.Handle, new CommitTs(long.MaxValue), Cancellation));
    }

    [Fact]
    public async Task Ping_answers_and_changes_nothing_that_a_reader_sees()
    {
        var agent = new Commits("a");
        await AppendAsync(agent);
        CommitTs end = await Store.ReadFeedEndAsync(Cancellation);

        await Store.PingAsync(Cancellation);

        Assert.Equal(end, await Store.ReadFeedEndAsync(Cancellation));
        await AssertJournalIsAsync(agent);
    }

    private async Task<List<JournalCommit>> ForwardAsync(Commits agent, long from, long to) =>
        await Store.ReadForwardAsync(agent.Handle, new AgentVersion(from), new AgentVersion(to), Cancellation).ToListAsync(Cancellation);

    /// <summary>Grows one agent without keeping what was written.</summary>
    private async Task<JournalHandle> AppendManyAsync(int total, int bodyPadding)
    {
        var handle = new JournalHandle(new AgentId("default", "long"));
        CommitHash hash = CommitHash.Genesis(handle.Agent);
        for (int done = 0; done < total; done += 1000)
        {
            AgentVersion expectedVersion = new(done);
            CommitHash expectedHash = hash;
            var commits = new JournalCommit[1000];
            for (int i = 0; i < commits.Length; i++)
            {
                AgentVersion version = new(done + i + 1);
                var txnId = Guid.NewGuid();
                byte[] body = Commits.Body(version.Value, bodyPadding);
                hash = CommitHash.Chain(hash, version, new CommitTime(version.Value), txnId, body);
                commits[i] = new JournalCommit(version, CommitTs.None, new CommitTime(version.Value), txnId, hash, body);
            }
            await WriteAsync(new AppendUnit([new AppendRun(handle, expectedVersion, expectedHash, commits)]));
        }
        return handle;
    }
}

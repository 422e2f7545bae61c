using System.Security.Cryptography;

namespace Statehouse.Journal.Tests;

public abstract partial class JournalStoreConformance
{
    [Fact]
    public async Task The_snapshot_read_is_the_newest_one_not_above_the_version_asked_for()
    {
        Commits agent = await AgentWithSnapshotsAsync("a", 3, 7, 12);
        await AgentWithSnapshotsAsync("b", 5);

        Assert.Null(await SnapshotVersionAsync(agent, 2));
        Assert.Equal(3, await SnapshotVersionAsync(agent, 3));
        Assert.Equal(3, await SnapshotVersionAsync(agent, 6));
        Assert.Equal(7, await SnapshotVersionAsync(agent, 11));
        Assert.Equal(12, await SnapshotVersionAsync(agent, long.MaxValue));
        Assert.Equal([3, 7, 12], await SnapshotVersionsAsync(agent));
    }

    [Fact]
    public async Task A_snapshot_reads_back_byte_for_byte_also_after_a_reopen()
    {
        var agent = new Commits("a");
        await AppendAsync(agent, 2);
        byte[] large = RandomNumberGenerator.GetBytes(5 * 1024 * 1024 + 3);
        await Store.WriteSnapshotAsync(agent.Handle, SnapshotOf(agent, 1, [0]), Cancellation);
        await Store.WriteSnapshotAsync(agent.Handle, SnapshotOf(agent, 2, large), Cancellation);
        await ReopenAsync();

        var handle = new JournalHandle(agent.Agent);
        JournalSnapshot? second = await Store.ReadSnapshotAsync(handle, new AgentVersion(2), Cancellation);
        Assert.Equal(agent.Acknowledged[1].Hash, second!.Hash);
        Assert.True(second.Body.Span.SequenceEqual(large));
        JournalSnapshot? first = await Store.ReadSnapshotAsync(handle, new AgentVersion(1), Cancellation);
        Assert.Equal([0], first!.Body.ToArray());
    }

    [Fact]
    public async Task Writing_a_snapshot_of_the_same_version_replaces_it()
    {
        Commits agent = await AgentWithSnapshotsAsync("a", 4);

        await Store.WriteSnapshotAsync(agent.Handle, SnapshotOf(agent, 4, "other"u8.ToArray()), Cancellation);

        JournalSnapshot? read = await Store.ReadSnapshotAsync(agent.Handle, new AgentVersion(4), Cancellation);
        Assert.Equal("other"u8.ToArray(), read!.Body.ToArray());
        Assert.Equal([4], await SnapshotVersionsAsync(agent));
    }

    [Fact]
    public async Task Deleting_snapshots_drops_exactly_those_and_passes_over_missing_ones()
    {
        Commits agent = await AgentWithSnapshotsAsync("a", 1, 2, 3, 4);
        Commits other = await AgentWithSnapshotsAsync("b", 2, 4);

        await Store.DeleteSnapshotsAsync(agent.Handle, [new AgentVersion(2), new AgentVersion(4), new AgentVersion(99)], Cancellation);
        await Store.DeleteSnapshotsAsync(agent.Handle, [], Cancellation);

        Assert.Equal([1, 3], await SnapshotVersionsAsync(agent));
        Assert.Equal([2, 4], await SnapshotVersionsAsync(other));
        Assert.Equal(3, await SnapshotVersionAsync(agent, 4));
    }

    [Fact]
    public async Task A_damaged_snapshot_is_passed_over_for_the_next_older_one_and_reported()
    {
        Commits agent = await AgentWithSnapshotsAsync("a", 3, 7, 12);
        await DamageSnapshotAsync(agent.Agent, new AgentVersion(12));
        await DamageSnapshotAsync(agent.Agent, new AgentVersion(7));
        await ReopenAsync();

        Assert.Equal(3, await SnapshotVersionAsync(agent, 20));

        Assert.Equal(2, OperatorLog.Messages.Count(m =>
            m.Level >= OperatorLogLevel.Warning && m.Message.Contains("snapshot", StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public async Task Where_all_snapshots_are_damaged_none_is_read_and_the_journal_is_untouched()
    {
        Commits agent = await AgentWithSnapshotsAsync("a", 3);
        await DamageSnapshotAsync(agent.Agent, new AgentVersion(3));
        await ReopenAsync();

        Assert.Null(await SnapshotVersionAsync(agent, 20));
        await AssertJournalIsAsync(agent);
        await Store.WriteSnapshotAsync(agent.Handle, SnapshotOf(agent, 3, "good"u8.ToArray()), Cancellation);
        Assert.Equal(3, await SnapshotVersionAsync(agent, 20));
    }

    [Fact]
    public async Task Snapshots_leave_journal_and_feed_alone()
    {
        Commits agent = await AgentWithSnapshotsAsync("a", 1, 2);
        CommitTs end = await Store.ReadFeedEndAsync(Cancellation);
        await Store.DeleteSnapshotsAsync(agent.Handle, [new AgentVersion(1)], Cancellation);

        await AssertJournalIsAsync(agent);
        Assert.Equal(end, await Store.ReadFeedEndAsync(Cancellation));
        await AppendAsync(agent);
        await AssertJournalIsAsync(agent);
    }

    /// <summary>An agent with one commit more than its newest snapshot.</summary>
    private async Task<Commits> AgentWithSnapshotsAsync(string name, params long[] versions)
    {
        var agent = new Commits(name);
        await AppendAsync(agent, (int)versions.Max() + 1);
        foreach (long version in versions)
            await Store.WriteSnapshotAsync(agent.Handle, SnapshotOf(agent, version, Commits.Body(version, padding: 100)), Cancellation);
        return agent;
    }

    private static JournalSnapshot SnapshotOf(Commits agent, long version, byte[] body) =>
        new(new AgentVersion(version), agent.Acknowledged[(int)version - 1].Hash, body);

    private async Task<long?> SnapshotVersionAsync(Commits agent, long atMost) =>
        (await Store.ReadSnapshotAsync(agent.Handle, new AgentVersion(atMost), Cancellation))?.Version.Value;

    private async Task<IEnumerable<long>> SnapshotVersionsAsync(Commits agent) =>
        (await Store.ListSnapshotsAsync(agent.Handle, Cancellation)).Select(version => version.Value);
}

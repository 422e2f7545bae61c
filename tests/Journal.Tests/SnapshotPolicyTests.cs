namespace Statehouse.Journal.Tests;

public sealed class SnapshotPolicyTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(40)]
    [InlineData(1000)]
    public void A_surplus_leaves_the_newest_and_no_gap_wider_than_allowed(int count)
    {
        AgentVersion[] versions = [.. Enumerable.Range(1, count).Select(i => new AgentVersion(i * 10))];
        IReadOnlyList<AgentVersion> surplus = SnapshotPolicy.Surplus(versions);
        AgentVersion[] left = [.. versions.Except(surplus)];
        Assert.Equal(versions.TakeLast(SnapshotPolicy.NewestKept), left.TakeLast(SnapshotPolicy.NewestKept));
        Assert.All(left.Zip(left.Skip(1)), pair => Assert.InRange(pair.Second.Value - pair.First.Value, 1, SnapshotPolicy.OlderSpacingFactor * 10));
        Assert.True(left.Length <= SnapshotPolicy.NewestKept + 1 + count / (SnapshotPolicy.OlderSpacingFactor - 1), $"{left.Length} of {count} are left");
    }

    [Fact]
    public void A_second_look_finds_no_surplus()
    {
        var random = new Random(20261121);
        for (int round = 0; round < 200; round++)
        {
            AgentVersion[] versions = [.. Enumerable.Range(0, random.Next(60)).Select(_ => random.Next(1, 5000)).Distinct().Order().Select(v => new AgentVersion(v))];
            AgentVersion[] left = [.. versions.Except(SnapshotPolicy.Surplus(versions))];
            Assert.Empty(SnapshotPolicy.Surplus(left));
        }
    }

    [Fact]
    public void Snapshots_that_were_thinned_as_they_were_written_have_no_surplus()
    {
        var kept = new List<AgentVersion>();
        for (int version = 10; version <= 5000; version += 10)
        {
            kept.Add(new AgentVersion(version));
            if (SnapshotPolicy.ToDrop(kept) is { } drop)
                kept.Remove(drop);
        }
        // The oldest few are held to the same rule again, which lets go of at most what stands before the first gap.
        Assert.InRange(SnapshotPolicy.Surplus(kept).Count, 0, 1);
    }
}

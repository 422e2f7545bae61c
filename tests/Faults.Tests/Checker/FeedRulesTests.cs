using Statehouse.Faults.Checker;
using Statehouse.Faults.History;
using static Statehouse.Faults.Tests.Checker.FakeStore;

namespace Statehouse.Faults.Tests.Checker;

public sealed class FeedRulesTests
{
    private readonly FakeStore _store = new();

    public FeedRulesTests()
    {
        for (int i = 1; i <= 4; i++)
            _store.Commit(new Share(A, [new Write("k", $"{i}")]), new Share(B, [new Write("k", $"{i}")]));
        _store.Follow("f", A);
        _store.Follow("g", B, fromVersion: 3);
        Judge.Passes(_store.Evidence);
    }

    [Fact]
    public void A_feed_that_lacks_a_commit_is_found() => FeedFails(feed => feed.RemoveAt(3));

    [Fact]
    public void A_feed_that_has_a_commit_twice_is_found() => FeedFails(feed => feed.Insert(3, feed[3]));

    [Fact]
    public void A_feed_out_of_order_is_found() => FeedFails(feed => feed.Reverse(1, 2));

    [Fact]
    public void A_feed_with_another_hash_is_found() => FeedFails(feed => feed[2] = feed[2] with { Hash = "00" });

    [Fact]
    public void A_feed_with_a_commit_that_no_journal_has_is_found() =>
        FeedFails(feed => feed.Add(new FeedEntry(new AgentName("faults", "c"), 1, 999, "00")));

    [Fact]
    public void A_follower_that_misses_a_commit_is_found() => FollowerFails(seen => seen.RemoveAt(1));

    [Fact]
    public void A_follower_that_sees_a_commit_twice_is_found() => FollowerFails(seen => seen.Insert(1, seen[0]));

    [Fact]
    public void A_follower_that_sees_commits_out_of_order_is_found() => FollowerFails(seen => seen.Reverse(1, 2));

    [Fact]
    public void A_follower_that_sees_another_commit_than_the_journals_is_found() =>
        SeenFails(seen => seen[1] = seen[1] with { Hash = "00" }, Rule.Confirmed);

    [Fact]
    public void A_follower_that_sees_a_commit_that_the_journal_does_not_hold_is_found() =>
        SeenFails(seen => seen.Insert(4, new SeenCommit("f", A, 5, 999, "00", 1_000)), Rule.Confirmed);

    [Fact]
    public void A_follower_that_sees_a_commit_before_it_was_asked_for_is_found() =>
        SeenFails(seen => seen[3] = seen[3] with { SeenAt = 1 }, Rule.Confirmed);

    private void FeedFails(Action<List<FeedEntry>> bend)
    {
        List<FeedEntry> feed = [.. _store.Evidence.Feed];
        bend(feed);
        Judge.FailsOnly(_store.Evidence with { Feed = feed }, Rule.Feed);
    }

    private void FollowerFails(Action<List<SeenCommit>> bend) => SeenFails(bend, Rule.Follower);

    private void SeenFails(Action<List<SeenCommit>> bend, string rule)
    {
        List<SeenCommit> seen = [.. _store.Evidence.Seen];
        bend(seen);
        Judge.FailsOnly(_store.Evidence with { Seen = seen }, rule);
    }
}

using Statehouse.Faults.Checker;
using Statehouse.Faults.History;
using static Statehouse.Faults.Tests.Checker.FakeStore;

namespace Statehouse.Faults.Tests.Checker;

public sealed class FeedReaderRulesTests
{
    private readonly RunEvidence _evidence;

    /// <summary>Four transactions of two commits each, with commit_ts 101 to 104.</summary>
    public FeedReaderRulesTests()
    {
        var store = new FakeStore();
        for (int i = 1; i <= 4; i++)
            store.Commit(new Share(A, [new Write("k", $"{i}")]), new Share(B, [new Write("k", $"{i}")]));
        _evidence = store.Evidence;
        Assert.Equal([101, 101, 102, 102, 103, 103, 104, 104], _evidence.Feed.Select(entry => entry.CommitTs));
    }

    [Fact]
    public void Pages_and_streams_of_any_size_pass()
    {
        Verdict passed = Passes(
            Page("f", "0", "101", 0..2), Page("g", "0", "104", 0..8), Page("f", "101", "102.0", 2..3), Page("f", "102.0", "103", 3..6), Page("f", "103", "103", 6..6), Page("g", "104", "107", 8..8));
        Assert.Equal(8 + 14, passed.Checked[Rule.Feed]);
    }

    [Fact]
    public void A_reader_that_stops_anywhere_passes() => Passes(Page("f", "0", "103.0", 0..5));

    [Fact]
    public void A_transaction_that_a_page_went_past_is_found() => Fails(
        Page("f", "0", "101", 0..2), Page("f", "101", "103", 4..6), Page("f", "103", "104", 6..8));

    [Fact]
    public void A_transaction_that_a_page_went_past_and_a_later_one_shows_is_found()
    {
        FeedStretch late = Page("f", "103", "104", 2..4);
        Fails(Page("f", "0", "101", 0..2), Page("f", "101", "103", 4..6), late with { Entries = [.. late.Entries, .. _evidence.Feed.Skip(6)] });
    }

    [Fact]
    public void A_commit_that_comes_twice_is_found() => Fails(
        Page("f", "0", "101", 0..2), Page("f", "101", "102", 1..4));

    [Fact]
    public void A_page_out_of_order_is_found()
    {
        FeedStretch page = Page("f", "0", "102", 0..4);
        Fails(page with { Entries = [.. page.Entries.Reverse()] });
    }

    [Fact]
    public void A_page_that_splits_a_transaction_is_found() => Fails(
        Page("f", "0", "101", 0..1), Page("f", "101", "102", 1..4));

    [Fact]
    public void A_transaction_of_which_the_rest_is_never_shown_is_found() => Fails(
        Page("f", "0", "102", 0..3), Page("f", "102", "104", 4..8));

    [Fact]
    public void A_stream_that_begins_a_transaction_anew_is_found() => Fails(
        Page("f", "0", "102.0", 0..3), Page("f", "102.0", "103", 2..6));

    [Fact]
    public void A_commit_that_is_gone_in_the_end_is_found()
    {
        FeedStretch page = Page("f", "0", "105", 0..8);
        Fails(page with { Entries = [.. page.Entries, new FeedEntry(A, 5, 105, "00")] });
    }

    [Fact]
    public void A_commit_with_another_hash_is_found()
    {
        FeedStretch page = Page("f", "0", "101", 0..2);
        Fails(page with { Entries = [page.Entries[0], page.Entries[1] with { Hash = "00" }] });
    }

    [Fact]
    public void A_position_that_goes_back_is_found() => Fails(
        Page("f", "0", "103", 0..6), Page("f", "103", "102", 6..6));

    [Fact]
    public void A_reader_that_did_not_go_on_where_it_was_has_shown_nothing() => Fails(
        Page("f", "0", "101", 0..2), Page("f", "102", "103", 4..6));

    private FeedStretch Page(string reader, string after, string through, Range entries) =>
        new(reader, after, through, [.. _evidence.Feed.Take(entries)], 1_000);

    private Verdict Passes(params FeedStretch[] seen) => Judge.Passes(_evidence with { FeedSeen = seen });

    private void Fails(params FeedStretch[] seen) => Judge.FailsOnly(_evidence with { FeedSeen = seen }, Rule.Feed);
}

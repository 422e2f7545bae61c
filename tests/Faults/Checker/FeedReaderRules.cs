using System.Globalization;

namespace Statehouse.Faults.Checker;

/// <summary>
/// What readers of the feed were shown while the run went on is, stretch by stretch, what the feed has there in the end: nothing was passed
/// over that became visible later, nothing came twice, and no position fell between the commits of a transaction unless it says so.
/// </summary>
internal sealed class FeedReaderRules
{
    private const string Start = "0";

    private readonly IReadOnlyList<FeedEntry> _feed;
    private readonly long[] _commitTs;
    private readonly Findings _findings;

    public FeedReaderRules(IReadOnlyList<FeedEntry> feed, Findings findings)
    {
        (_feed, _findings) = (feed, findings);
        // A feed that goes back is told of by FeedRules; positions are looked up in what it should have been.
        _commitTs = [.. feed.Select(entry => entry.CommitTs).Order()];
    }

    public void Check(IEnumerable<FeedStretch> seen)
    {
        foreach (IGrouping<string, FeedStretch> reader in seen.GroupBy(stretch => stretch.Reader))
        {
            string position = Start;
            foreach (FeedStretch stretch in reader)
            {
                _findings.Count(Rule.Feed, stretch.Entries.Count);
                if (stretch.After != position)
                    _findings.Broken(Rule.Feed, $"{stretch.Reader} stood at {position} and went on at {stretch.After}.");
                position = stretch.Through;
                if (Difference(stretch) is { } difference)
                    _findings.Broken(Rule.Feed, $"{stretch.Reader}, after {stretch.After} and through {stretch.Through} at {stretch.SeenAt} µs: {difference}");
            }
        }
    }

    private string? Difference(FeedStretch stretch)
    {
        (int first, int end) = (IndexOf(stretch.After), IndexOf(stretch.Through));
        if (end < first)
            return "the position went back.";
        int count = Math.Max(end - first, stretch.Entries.Count);
        for (int i = 0; i < count; i++)
        {
            FeedEntry? shown = i < stretch.Entries.Count ? stretch.Entries[i] : null;
            FeedEntry? expected = first + i < end ? _feed[first + i] : null;
            if (shown != expected)
                return $"entry {i + 1} was {Name(shown)}; the feed in the end has {Name(expected)} there.";
        }
        return null;
    }

    /// <summary>How many entries of the feed a position has behind it: <c>17</c> is after all with commit_ts 17, <c>17.0</c> after the first of them.</summary>
    private int IndexOf(string position)
    {
        string[] parts = position.Split('.');
        long commitTs = long.Parse(parts[0], CultureInfo.InvariantCulture);
        return parts.Length == 1
            ? CountBelow(commitTs + 1)
            : Math.Min(CountBelow(commitTs + 1), CountBelow(commitTs) + int.Parse(parts[1], CultureInfo.InvariantCulture) + 1);
    }

    private int CountBelow(long commitTs)
    {
        int low = 0, high = _commitTs.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_commitTs[middle] < commitTs)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private static string Name(FeedEntry? entry) =>
        entry is null ? "nothing" : $"{entry.Agent} version {entry.Version} with commit_ts {entry.CommitTs} and hash {entry.Hash}";
}

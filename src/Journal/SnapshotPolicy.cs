namespace Statehouse.Journal;

/// <summary>
/// When a snapshot is worth writing, and which old ones are worth keeping. Pure, so that both hosts follow one rule.
/// </summary>
/// <remarks>
/// A snapshot is due when the tail since the last one outweighs it: then writing snapshots costs at most as much as
/// writing the journal did, and a load folds at most max(<c>tailBytesMin</c>, the state's own size). Thinning keeps
/// the newest few, and of the rest so many that an "as of" read folds at most about four such tails.
/// </remarks>
public static class SnapshotPolicy
{
    /// <summary>The newest snapshots, all kept.</summary>
    public const int NewestKept = 4;

    /// <summary>Older snapshots stand about so many times as far apart as the newest do.</summary>
    public const int OlderSpacingFactor = 4;

    public static bool IsDue(long tailBytes, long lastSnapshotBytes, long tailBytesMin) =>
        tailBytes >= Math.Max(tailBytesMin, lastSnapshotBytes);

    /// <summary>Which snapshot to drop after one was written; null = none.</summary>
    /// <param name="versions">Of all snapshots kept now, ascending, the one just written last.</param>
    /// <remarks>
    /// Each write pushes one snapshot out of the newest ones. It goes where the gap that it leaves is small enough,
    /// measured in commits against the spacing of the newest.
    /// </remarks>
    public static AgentVersion? ToDrop(IReadOnlyList<AgentVersion> versions)
    {
        int leaving = versions.Count - 1 - NewestKept;
        if (leaving < 0)
            return null;
        long before = leaving > 0 ? versions[leaving - 1].Value : 0;
        long gap = versions[leaving + 1].Value - before;
        long spacing = (versions[^1].Value - versions[leaving].Value) / NewestKept;
        return gap <= OlderSpacingFactor * spacing ? versions[leaving] : null;
    }

    /// <summary>
    /// All snapshots that the same rule lets go: what is left over where processes died between writing one and dropping
    /// another. A second look at what is left lets go of nothing more.
    /// </summary>
    /// <param name="versions">Of all snapshots kept now, ascending.</param>
    public static IReadOnlyList<AgentVersion> Surplus(IReadOnlyList<AgentVersion> versions)
    {
        var surplus = new List<AgentVersion>();
        int newest = versions.Count - NewestKept;
        if (newest < 1)
            return surplus;
        // Measured on those that stay, so that a second look measures the same.
        long spacing = (versions[^1].Value - versions[newest].Value) / (NewestKept - 1);
        long before = 0;
        for (int i = 0; i < newest; i++)
        {
            if (versions[i + 1].Value - before <= OlderSpacingFactor * spacing)
                surplus.Add(versions[i]);
            else
                before = versions[i].Value;
        }
        return surplus;
    }
}

namespace Statehouse.Journal.Sqlite;

/// <summary>
/// The primary key of the journal: a transaction's commit_ts and a commit's place in it, packed into one ascending number.
/// </summary>
internal static class FeedPosition
{
    /// <summary>More than the 1,000 commits that a transaction may have.</summary>
    public const int CommitsPerTransactionMax = 1024;

    public static long Of(CommitTs commitTs, int index) => checked(commitTs.Value * CommitsPerTransactionMax + index);

    public static CommitTs CommitTsOf(long position) => new(position / CommitsPerTransactionMax);

    /// <summary>The first position after all of a transaction's; past every position where there can be none.</summary>
    public static long After(CommitTs commitTs) =>
        commitTs.Value >= long.MaxValue / CommitsPerTransactionMax - 1 ? long.MaxValue : Of(commitTs, 0) + CommitsPerTransactionMax;
}

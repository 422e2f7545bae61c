namespace Statehouse.Journal.Sqlite.Reading;

/// <summary>Finds an agent's version at a moment. Versions, times and commit_ts all grow along an agent, so this is a binary search.</summary>
internal static class VersionSearch
{
    public static AgentVersion AtTime(SqliteDatabase database, JournalHandle handle, CommitTime time) =>
        database.AsOfOneMoment(() => NewestWhere(database, handle, row => row.Int64(1) <= time.UnixMicroseconds));

    public static AgentVersion AtCommitTs(SqliteDatabase database, JournalHandle handle, CommitTs commitTs) =>
        database.AsOfOneMoment(() => NewestWhere(database, handle, row => FeedPosition.CommitTsOf(row.Int64(0)) <= commitTs));

    /// <param name="database">Where to look.</param>
    /// <param name="handle">Whose journal.</param>
    /// <param name="isNotAfter">Of the columns of commit-moment.sql; true up to some version and false from there on.</param>
    private static AgentVersion NewestWhere(SqliteDatabase database, JournalHandle handle, Func<SqliteStatement, bool> isNotAfter)
    {
        StreamExtent? extent = StreamRows.Extent(database, handle);
        if (extent is null)
            return AgentVersion.None;
        // Everything up to "before" is not after the moment; everything from "after" on is.
        long before = extent.First - 1;
        long after = extent.Last + 1;
        while (after - before > 1)
        {
            long middle = before + (after - before) / 2;
            if (Test(database, extent, middle, isNotAfter))
                before = middle;
            else
                after = middle;
        }
        return before < extent.First ? AgentVersion.None : new AgentVersion(before);
    }

    private static bool Test(SqliteDatabase database, StreamExtent extent, long version, Func<SqliteStatement, bool> isNotAfter)
    {
        using SqliteStatement row = database.Prepare(Sql.CommitMoment).Bind(1, extent.StreamId).Bind(2, version);
        return row.Step()
            ? isNotAfter(row)
            : throw new InvariantBrokenException($"Version {version} of {extent.Agent} is missing from its journal.");
    }
}

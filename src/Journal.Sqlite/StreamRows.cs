namespace Statehouse.Journal.Sqlite;

/// <summary>Reads the table <c>stream</c>: which row is an agent's, and where its journal begins and ends.</summary>
internal static class StreamRows
{
    /// <returns>The agent's row number; 0 where it has no commit.</returns>
    public static long Find(SqliteDatabase database, AgentId agent)
    {
        using SqliteStatement row = database.Prepare(Sql.StreamFind).BindAgent(agent);
        return row.Step() ? row.Int64(0) : 0;
    }

    /// <summary>As <see cref="Find(SqliteDatabase, AgentId)"/>, from the handle where it was noted before.</summary>
    public static long Find(SqliteDatabase database, JournalHandle handle)
    {
        if (handle.StoreKey == 0)
            handle.StoreKey = Find(database, handle.Agent);
        return handle.StoreKey;
    }

    /// <summary>By the row number that the handle knows; where that is nobody's any more, by name.</summary>
    /// <returns>null where the agent has no commit.</returns>
    public static StreamExtent? Extent(SqliteDatabase database, JournalHandle handle)
    {
        if (handle.StoreKey != 0 && Extent(database, handle.Agent, handle.StoreKey) is { } known)
            return known;
        // Removed, and perhaps created again since the handle noted its number.
        handle.StoreKey = Find(database, handle.Agent);
        return Extent(database, handle.Agent, handle.StoreKey);
    }

    /// <summary>Whether a row number is still somebody's: numbers of removed agents do not come back.</summary>
    public static bool Exists(SqliteDatabase database, long streamId)
    {
        using SqliteStatement row = database.Prepare(Sql.StreamExists).Bind(1, streamId);
        return row.Step() && row.Int64(0) > 0;
    }

    /// <summary>Asks by name, also where the handle knows its row.</summary>
    public static JournalHead? Head(SqliteDatabase database, JournalHandle handle)
    {
        using SqliteStatement row = database.Prepare(Sql.StreamHead).BindAgent(handle.Agent);
        handle.StoreKey = row.Step() ? row.Int64(0) : 0;
        return handle.StoreKey != 0 ? Decode(database, row, handle.Agent) : null;
    }

    /// <summary>Agents in byte order of their names.</summary>
    public static List<JournalHead> List(
        SqliteDatabase database, AgentKind kind, string @namespace, string prefix, string? afterExclusive, int limit)
    {
        byte[] prefixBytes = StoredNames.Encode(prefix);
        byte[]? after = afterExclusive is null ? null : StoredNames.Encode(afterExclusive);
        byte[] first = after is not null && after.AsSpan().SequenceCompareTo(prefixBytes) > 0 ? after : prefixBytes;

        var heads = new List<JournalHead>();
        using SqliteStatement row = database.Prepare(Sql.StreamList)
            .Bind(1, (long)kind).BindText(2, StoredNames.Encode(@namespace)).BindText(3, first);
        while (heads.Count < limit && row.Step())
        {
            ReadOnlySpan<byte> name = row.Bytes(7);
            if (!name.StartsWith(prefixBytes))
                break;
            if (after is null || !name.SequenceEqual(after))
                heads.Add(Decode(database, row, new AgentId(kind, @namespace, StoredNames.Decode(name))));
        }
        return heads;
    }

    private static StreamExtent? Extent(SqliteDatabase database, AgentId agent, long streamId)
    {
        using SqliteStatement row = database.Prepare(Sql.StreamExtent).Bind(1, streamId);
        if (!row.Step())
            return null;
        (long first, long last) = (row.Int64(0), row.Int64(1));
        CheckFirst(database, agent, streamId, first, last);
        return new StreamExtent(agent, streamId, first, last);
    }

    /// <summary>A beginning that moved would hide commits that are there, or all of them.</summary>
    private static void CheckFirst(SqliteDatabase database, AgentId agent, long streamId, long first, long last)
    {
        bool isSound = first == 1 && last >= 1;
        if (!isSound && first > 1 && first <= last)
        {
            using SqliteStatement before = database.Prepare(Sql.CommitHash).Bind(1, streamId).Bind(2, first - 1);
            isSound = !before.Step();
        }
        if (!isSound)
            throw new InvariantBrokenException($"The journal of {agent} should begin at version {first}, but it does not: it is damaged.");
    }

    /// <summary>The columns of stream-head.sql.</summary>
    private static JournalHead Decode(SqliteDatabase database, SqliteStatement row, AgentId agent)
    {
        long version = row.Int64(1);
        // The stream's row and the last commit went in together: either without the other is damage.
        if (row.IsNull(4) || !row.Bytes(2).SequenceEqual(row.Bytes(6)))
            throw new InvariantBrokenException($"The journal of {agent} should end at version {version}, but that commit is missing or another.");
        CheckFirst(database, agent, row.Int64(0), row.Int64(3), version);
        return new JournalHead(
            agent,
            new AgentVersion(version),
            FeedPosition.CommitTsOf(row.Int64(4)),
            new CommitTime(row.Int64(5)),
            CommitRows.DecodeHash(row.Bytes(2), agent),
            new AgentVersion(row.Int64(3)));
    }
}

/// <summary>What of an agent's journal is kept.</summary>
/// <param name="Agent">Whose journal.</param>
/// <param name="StreamId">Its row.</param>
/// <param name="First">The oldest version kept.</param>
/// <param name="Last">The newest version.</param>
internal sealed record StreamExtent(AgentId Agent, long StreamId, long First, long Last);

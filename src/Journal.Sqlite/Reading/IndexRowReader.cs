namespace Statehouse.Journal.Sqlite.Reading;

/// <summary>
/// Turns rows of the table <c>agent_index</c> into what they say. The statements that read it all have the columns name, version,
/// updated_at, status, group_name, labels, started_at, due_at, summary, checksum.
/// </summary>
internal static class IndexRowReader
{
    /// <exception cref="InvariantBrokenException">SH-9001. The row is not what was written.</exception>
    public static IndexedAgent Decode(SqliteStatement row, AgentKind kind, string @namespace)
    {
        var agent = new AgentId(kind, @namespace, StoredNames.Decode(row.Bytes(0)));
        var indexed = new IndexedAgent(
            agent,
            new AgentVersion(row.Int64(1)),
            new CommitTime(row.Int64(2)),
            new IndexRow(
                Status(row.Int64(3)),
                StoredNames.Decode(row.Bytes(4)),
                StoredLabels.Decode(row.Bytes(5)),
                new CommitTime(row.Int64(6)),
                row.IsNull(7) ? null : new CommitTime(row.Int64(7)),
                row.Bytes(8).ToArray()));
        // Rows from before 0005-index-checksum.sql have none until they are written again.
        return row.IsNull(9) || row.Int64(9) == IndexRowChecksum.Of(row.Bytes(0), indexed.Version, indexed.UpdatedAt, indexed.Row, row.Bytes(4), row.Bytes(5))
            ? indexed
            : throw new InvariantBrokenException($"The index row of {agent} is not what was written: it is damaged.");
    }

    /// <exception cref="InvariantBrokenException">SH-9001. It is none.</exception>
    public static byte Status(long stored) => stored is >= byte.MinValue and <= byte.MaxValue
        ? (byte)stored
        : throw new InvariantBrokenException($"The index holds {stored} as a status: it is damaged.");
}

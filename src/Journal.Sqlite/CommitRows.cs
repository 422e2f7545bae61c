namespace Statehouse.Journal.Sqlite;

/// <summary>
/// Turns rows of the table <c>journal</c> into commits. The statements that read it all start with
/// version, position, committed_at, txn_id, hash, body.
/// </summary>
internal static class CommitRows
{
    private const int TxnIdBytes = 16;

    /// <exception cref="InvariantBrokenException">SH-9001. The row is not what was written.</exception>
    public static JournalCommit Decode(SqliteStatement row, AgentId agent)
    {
        ReadOnlySpan<byte> txnId = row.Bytes(3);
        if (txnId.Length != TxnIdBytes)
            throw new InvariantBrokenException($"Version {row.Int64(0)} of {agent} has a damaged txn id.");
        return new JournalCommit(
            new AgentVersion(row.Int64(0)),
            FeedPosition.CommitTsOf(row.Int64(1)),
            new CommitTime(row.Int64(2)),
            new Guid(txnId, bigEndian: true),
            Hash(row, agent),
            Body(row, agent));
    }

    /// <summary>As it was written, whatever form it is stored in.</summary>
    /// <exception cref="InvariantBrokenException">SH-9001. It is damaged.</exception>
    public static byte[] Body(SqliteStatement row, AgentId agent) => StoredBody.TryDecode(row.Bytes(5), out byte[]? body)
        ? body
        : throw new InvariantBrokenException($"Version {row.Int64(0)} of {agent} has a damaged body.");

    /// <summary>Only the hash, without touching the body.</summary>
    public static CommitHash Hash(SqliteStatement row, AgentId agent) => DecodeHash(row.Bytes(4), agent);

    public static CommitHash DecodeHash(ReadOnlySpan<byte> bytes, AgentId agent) => bytes.Length == CommitHash.Size
        ? CommitHash.FromBytes(bytes)
        : throw new InvariantBrokenException($"The journal of {agent} holds a damaged hash.");
}

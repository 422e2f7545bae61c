using Npgsql;

namespace Statehouse.Journal.Postgres;

internal static class StoredHash
{
    /// <exception cref="InvariantBrokenException">The column does not hold 32 bytes.</exception>
    public static CommitHash Read(NpgsqlDataReader row, int column, AgentId agent)
    {
        byte[] bytes = row.GetFieldValue<byte[]>(column);
        return bytes.Length == CommitHash.Size
            ? CommitHash.FromBytes(bytes)
            : throw new InvariantBrokenException($"A hash in the journal of {agent} has {bytes.Length} bytes instead of {CommitHash.Size}.");
    }

    /// <exception cref="InvariantBrokenException">The column holds neither null nor 32 bytes.</exception>
    public static CommitHash? ReadOrNull(NpgsqlDataReader row, int column, AgentId agent) =>
        row.IsDBNull(column) ? null : Read(row, column, agent);
}

using System.Buffers.Binary;
using System.Numerics;

namespace Statehouse.Journal.Sqlite;

/// <summary>
/// The column <c>checksum</c> of <c>agent_index</c>: CRC-32C over all that the row says of its agent. It is there for bytes that
/// changed on the disk, not for somebody who changes them: whoever can write the file can write the checksum.
/// </summary>
internal static class IndexRowChecksum
{
    /// <param name="name">The agent's as it is stored; kind and namespace are what was asked for.</param>
    /// <param name="version">The commit that wrote the row.</param>
    /// <param name="updatedAt">Its time.</param>
    /// <param name="row">What the row says.</param>
    /// <param name="group">The row's group as it is stored.</param>
    /// <param name="labels">The row's labels as they are stored.</param>
    /// <returns>0 to 2^32 - 1.</returns>
    public static long Of(
        ReadOnlySpan<byte> name, AgentVersion version, CommitTime updatedAt, IndexRow row, ReadOnlySpan<byte> group, ReadOnlySpan<byte> labels)
    {
        uint sum = uint.MaxValue;
        sum = Add(sum, name);
        sum = Add(sum, version.Value);
        sum = Add(sum, updatedAt.UnixMicroseconds);
        sum = Add(sum, row.Status);
        sum = Add(sum, group);
        sum = Add(sum, labels);
        sum = Add(sum, row.StartedAt.UnixMicroseconds);
        sum = Add(sum, row.DueAt is null ? 0 : 1);
        sum = Add(sum, row.DueAt?.UnixMicroseconds ?? 0);
        return ~Add(sum, row.Summary.Span);
    }

    private static uint Add(uint sum, long number) => BitOperations.Crc32C(sum, (ulong)number);

    /// <summary>With their number in front: a byte that moves from one text to the next changes the sum.</summary>
    private static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        sum = Add(sum, bytes.Length);
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte last in bytes)
            sum = BitOperations.Crc32C(sum, last);
        return sum;
    }
}

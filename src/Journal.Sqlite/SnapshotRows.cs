using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Statehouse.Journal.Sqlite;

/// <summary>The table <c>snapshot</c>: states that can be dropped at any time, and so are never trusted unchecked.</summary>
internal static class SnapshotRows
{
    /// <summary>The newest undamaged snapshot up to a version; damaged ones are reported and passed over.</summary>
    public static JournalSnapshot? Read(SqliteDatabase database, JournalHandle handle, AgentVersion atMost, IOperatorLog log)
    {
        long streamId = StreamRows.Find(database, handle);
        using SqliteStatement row = database.Prepare(Sql.SnapshotsDown).Bind(1, streamId).Bind(2, atMost.Value);
        while (row.Step())
        {
            if (TryDecode(row, out JournalSnapshot? snapshot))
                return snapshot;
            log.Write(OperatorLogLevel.Error,
                $"The snapshot of {handle.Agent} at version {row.Int64(0)} is damaged; an older one or the journal alone serves instead.");
        }
        return null;
    }

    /// <summary>Reports the snapshot of one version where it is damaged.</summary>
    /// <returns>Whether it is sound.</returns>
    public static bool CheckOne(SqliteDatabase database, JournalHandle handle, AgentVersion version, List<string> problems)
    {
        using SqliteStatement row = database.Prepare(Sql.SnapshotsDown).Bind(1, StreamRows.Find(database, handle)).Bind(2, version.Value);
        // Deleted meanwhile: nothing to say.
        if (!row.Step() || row.Int64(0) != version.Value || TryDecode(row, out _))
            return true;
        problems.Add($"The snapshot of {handle.Agent} at version {version} is damaged.");
        return false;
    }

    public static List<AgentVersion> Versions(SqliteDatabase database, JournalHandle handle)
    {
        var versions = new List<AgentVersion>();
        using SqliteStatement row = database.Prepare(Sql.SnapshotVersions).Bind(1, StreamRows.Find(database, handle));
        while (row.Step())
            versions.Add(new AgentVersion(row.Int64(0)));
        return versions;
    }

    /// <exception cref="InvariantBrokenException">SH-9001. The journal does not reach the snapshot's version.</exception>
    /// <exception cref="StateConflictException">SH-1001. It is of an agent that was removed.</exception>
    public static void Write(SqliteDatabase database, AgentId agent, JournalSnapshot snapshot, ReadOnlySpan<byte> checksum)
    {
        database.Prepare(Sql.SnapshotWrite)
            .Bind(1, StreamRows.Find(database, agent))
            .Bind(2, snapshot.Version.Value)
            .Bind(3, snapshot.Hash.AsSpan())
            .Bind(4, checksum)
            .Bind(5, snapshot.Body.Span)
            .Run();
        if (database.Changes > 0)
            return;
        throw StreamRows.Extent(database, new JournalHandle(agent)) is { } extent && snapshot.Version.Value > extent.Last
            ? new InvariantBrokenException($"A snapshot of {agent} at version {snapshot.Version} is ahead of its journal.")
            : new StateConflictException($"The journal of {agent} holds no such commit {snapshot.Version} (any more): its snapshot was not kept.");
    }

    public static void Delete(SqliteDatabase database, AgentId agent, IReadOnlyList<AgentVersion> versions)
    {
        long streamId = StreamRows.Find(database, agent);
        foreach (AgentVersion version in versions)
            database.Prepare(Sql.SnapshotDelete).Bind(1, streamId).Bind(2, version.Value).Run();
    }

    /// <summary>SHA-256(version:i64 big-endian ‖ hash ‖ body).</summary>
    public static byte[] Checksum(long version, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> body)
    {
        Span<byte> versionBytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(versionBytes, version);
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(versionBytes);
        sha.AppendData(hash);
        sha.AppendData(body);
        return sha.GetHashAndReset();
    }

    private static bool TryDecode(SqliteStatement row, out JournalSnapshot? snapshot)
    {
        long version = row.Int64(0);
        ReadOnlySpan<byte> hash = row.Bytes(1);
        ReadOnlySpan<byte> body = row.Bytes(3);
        bool isGood = hash.Length == CommitHash.Size && row.Bytes(2).SequenceEqual(Checksum(version, hash, body));
        snapshot = isGood ? new JournalSnapshot(new AgentVersion(version), CommitHash.FromBytes(hash), body.ToArray()) : null;
        return isGood;
    }
}

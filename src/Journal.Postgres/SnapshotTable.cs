using System.Buffers.Binary;
using System.Security.Cryptography;
using Npgsql;
using NpgsqlTypes;

namespace Statehouse.Journal.Postgres;

/// <summary>Snapshots, each with a checksum over all that it says: a damaged one is passed over, never believed.</summary>
internal sealed class SnapshotTable(PostgresSessions sessions, HeadReader heads, IOperatorLog log)
{
    public async Task<JournalSnapshot?> ReadAsync(JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken)
    {
        if (!await IsKnownAsync(handle, cancellationToken).ConfigureAwait(false))
            return null;
        while (true) // at most once per snapshot that the agent has
        {
            Candidate? candidate = await sessions.CallAsync(
                (connection, token) => ReadCandidateAsync(connection, handle, atMost, token), cancellationToken).ConfigureAwait(false);
            if (candidate is null || candidate.Snapshot is not null)
                return candidate?.Snapshot;
            log.Write(OperatorLogLevel.Error, $"The snapshot of {handle.Agent} at version {candidate.Version} is damaged; an older one or the journal is used instead.");
            atMost = new AgentVersion(candidate.Version.Value - 1);
        }
    }

    public async Task<IReadOnlyList<AgentVersion>> ListAsync(JournalHandle handle, CancellationToken cancellationToken)
    {
        if (!await IsKnownAsync(handle, cancellationToken).ConfigureAwait(false))
            return [];
        return await sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.ListSnapshots, connection);
                command.AddRange(PgParameter.Of(handle.StoreKey));
                await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                var versions = new List<AgentVersion>();
                while (await row.ReadAsync(token).ConfigureAwait(false))
                    versions.Add(new AgentVersion(row.GetInt64(0)));
                return versions;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<JournalHandle>> ListAgentsAsync(
        long afterStoreKey, int moreThan, int limit, CancellationToken cancellationToken) =>
        await sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.ListAgentsBySnapshots, connection);
                command.AddRange(PgParameter.Of(afterStoreKey), PgParameter.Of((long)moreThan), PgParameter.Of((long)limit));
                await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                var agents = new List<JournalHandle>();
                while (await row.ReadAsync(token).ConfigureAwait(false))
                {
                    var agent = new AgentId((AgentKind)row.GetInt16(1), row.GetString(2), row.GetString(3));
                    agents.Add(new JournalHandle(agent) { StoreKey = row.GetInt64(0) });
                }
                return agents;
            },
            cancellationToken).ConfigureAwait(false);

    public async Task WriteAsync(JournalHandle handle, JournalSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (!await IsKnownAsync(handle, cancellationToken).ConfigureAwait(false))
            throw new InvariantBrokenException($"A snapshot of {handle.Agent} at version {snapshot.Version} cannot be kept: the agent has no commit.");
        int kept = await sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.WriteSnapshot, connection);
                command.AddRange(
                    PgParameter.Of(handle.StoreKey), PgParameter.Of(snapshot.Version.Value), PgParameter.Of(snapshot.Hash.ToArray()),
                    PgParameter.Of(Checksum(snapshot.Version, snapshot.Hash.AsSpan(), snapshot.Body.Span)), PgParameter.Of(snapshot.Body));
                return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        if (kept == 0)
            throw await NoSuchCommitAsync(handle, snapshot.Version, cancellationToken).ConfigureAwait(false);
    }

    public async Task DeleteAsync(JournalHandle handle, IReadOnlyList<AgentVersion> versions, CancellationToken cancellationToken)
    {
        if (versions.Count == 0 || !await IsKnownAsync(handle, cancellationToken).ConfigureAwait(false))
            return;
        await sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.DeleteSnapshots, connection);
                command.AddRange(
                    PgParameter.Of(handle.StoreKey),
                    PgParameter.OfArray(versions.Select(static version => version.Value).ToArray(), NpgsqlDbType.Bigint));
                return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Why a snapshot was not kept: its agent was removed meanwhile, or it never was of this journal.</summary>
    private async Task<StatehouseException> NoSuchCommitAsync(JournalHandle handle, AgentVersion version, CancellationToken cancellationToken)
    {
        JournalHead? head = await heads.ReadAsync(handle, cancellationToken).ConfigureAwait(false);
        return head is not null && version > head.Version
            ? new InvariantBrokenException($"A snapshot of {handle.Agent} at version {version} is ahead of its journal.")
            : new StateConflictException($"The journal of {handle.Agent} holds no such commit {version} (any more): its snapshot was not kept.");
    }

    private async ValueTask<bool> IsKnownAsync(JournalHandle handle, CancellationToken cancellationToken) =>
        handle.StoreKey != 0 || await heads.ReadAsync(handle, cancellationToken).ConfigureAwait(false) is not null;

    private static async Task<Candidate?> ReadCandidateAsync(
        NpgsqlConnection connection, JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SqlText.ReadSnapshot, connection);
        command.AddRange(PgParameter.Of(handle.StoreKey), PgParameter.Of(atMost.Value));
        await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        if (!await row.ReadAsync(cancellationToken).ConfigureAwait(false))
            return null;
        var version = new AgentVersion(row.GetInt64(0));
        byte[] hash = row.GetFieldValue<byte[]>(1);
        byte[] checksum = row.GetFieldValue<byte[]>(2);
        byte[] body = row.GetFieldValue<byte[]>(3);
        bool intact = hash.Length == CommitHash.Size && checksum.AsSpan().SequenceEqual(Checksum(version, hash, body));
        return new Candidate(version, intact ? new JournalSnapshot(version, CommitHash.FromBytes(hash), body) : null);
    }

    private static byte[] Checksum(AgentVersion version, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> body)
    {
        Span<byte> versionBytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(versionBytes, version.Value);
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(versionBytes);
        sha.AppendData(hash);
        sha.AppendData(body);
        return sha.GetHashAndReset();
    }

    /// <param name="Version">Which snapshot was found.</param>
    /// <param name="Snapshot">null where it is damaged.</param>
    private sealed record Candidate(AgentVersion Version, JournalSnapshot? Snapshot);
}

using Npgsql;
using NpgsqlTypes;

namespace Statehouse.Journal.Postgres;

/// <summary>Lets go of old data: details of commits, and agents as a whole (0007_retention.sql).</summary>
internal sealed class Retention(PostgresSessions sessions, HeadReader heads)
{
    private const long PageCommitsMax = 500;

    /// <summary>Bodies of a page together; one commit is always taken.</summary>
    private const long PageBytesMax = 4 * 1024 * 1024;

    /// <summary>In pages, each a short transaction of its own.</summary>
    public async Task<long> CutDetailsAsync(
        JournalHandle handle, AgentVersion from, AgentVersion to, CancellationToken cancellationToken)
    {
        // By the number that the handle knows, and by no other: an agent that took a removed one's name keeps its details.
        if (handle.StoreKey == 0 && await heads.ReadAsync(handle, cancellationToken).ConfigureAwait(false) is null)
            return 0;
        long streamId = handle.StoreKey;
        long dropped = 0;
        while (true)
        {
            List<Candidate> page = await CandidatesAsync(streamId, from, to, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                return dropped;
            dropped += await CutAsync(streamId, page.FindAll(static c => c.Kept < c.Bytes), cancellationToken).ConfigureAwait(false);
            from = new AgentVersion(page[^1].Version).Next;
        }
    }

    public async Task<IReadOnlyList<bool>> DeleteAgentsAsync(IReadOnlyList<AgentEnd> agents, CancellationToken cancellationToken)
    {
        // A name that the database cannot hold is nobody's; the others keep their places.
        AgentEnd[] possible = [.. agents.Where(static end => NameRange.CanExist(end.Handle.Agent.Namespace) && NameRange.CanExist(end.Handle.Agent.Name))];
        if (possible.Length == 0)
            return new bool[agents.Count];
        int[] removed = await sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.DeleteAgents, connection);
                AddTo(command, possible);
                return (int[])(await command.ExecuteScalarAsync(token).ConfigureAwait(false))!;
            },
            cancellationToken).ConfigureAwait(false);
        HashSet<AgentEnd> gone = new(removed.Select(i => possible[i - 1]), ReferenceEqualityComparer.Instance);
        foreach (AgentEnd end in gone)
            end.Handle.StoreKey = 0;
        return [.. agents.Select(gone.Contains)];
    }

    private static void AddTo(NpgsqlCommand command, AgentEnd[] agents) => command.AddRange(
        PgParameter.OfArray(Array.ConvertAll(agents, static end => (short)end.Handle.Agent.Kind), NpgsqlDbType.Smallint),
        PgParameter.OfArray(Array.ConvertAll(agents, static end => end.Handle.Agent.Namespace), NpgsqlDbType.Text),
        PgParameter.OfArray(Array.ConvertAll(agents, static end => end.Handle.Agent.Name), NpgsqlDbType.Text),
        PgParameter.OfArray(Array.ConvertAll(agents, static end => end.Version.Value), NpgsqlDbType.Bigint),
        PgParameter.OfArray(Array.ConvertAll(agents, static end => end.Hash.ToArray()), NpgsqlDbType.Bytea));

    private Task<List<Candidate>> CandidatesAsync(
        long streamId, AgentVersion from, AgentVersion to, CancellationToken cancellationToken) =>
        sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.CutCandidates, connection);
                command.AddRange(
                    PgParameter.Of(streamId), PgParameter.Of(from.Value), PgParameter.Of(to.Value),
                    PgParameter.Of(PageCommitsMax), PgParameter.Of(PageBytesMax));
                await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                var page = new List<Candidate>();
                while (await row.ReadAsync(token).ConfigureAwait(false))
                {
                    byte[] body = row.GetFieldValue<byte[]>(1);
                    page.Add(new Candidate(row.GetInt64(0), body.Length, CommitBody.CanonicalLength(body)));
                }
                return page;
            },
            cancellationToken);

    /// <returns>Bytes dropped by this call, not by another one at the same time.</returns>
    private async Task<long> CutAsync(long streamId, List<Candidate> cuts, CancellationToken cancellationToken)
    {
        if (cuts.Count == 0)
            return 0;
        HashSet<long> cut = await sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(SqlText.CutDetails, connection);
                command.AddRange(
                    PgParameter.Of(streamId),
                    PgParameter.OfArray(cuts.Select(static c => c.Version).ToArray(), NpgsqlDbType.Bigint),
                    PgParameter.OfArray(cuts.Select(static c => c.Kept).ToArray(), NpgsqlDbType.Integer));
                await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                var versions = new HashSet<long>();
                while (await row.ReadAsync(token).ConfigureAwait(false))
                    versions.Add(row.GetInt64(0));
                return versions;
            },
            cancellationToken).ConfigureAwait(false);
        return cuts.Where(c => cut.Contains(c.Version)).Sum(static c => (long)c.Bytes - c.Kept);
    }

    /// <param name="Version">Of the commit.</param>
    /// <param name="Bytes">Its body now.</param>
    /// <param name="Kept">Its canonical part.</param>
    private readonly record struct Candidate(long Version, int Bytes, int Kept);
}

using System.Runtime.CompilerServices;
using Npgsql;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// Reads ranges of one agent's commits in pages, each a short statement of its own: a slow consumer holds neither a
/// connection nor a snapshot, and never more than two pages of memory. Every commit must chain on the one before (I11): a
/// changed byte is found when it is read.
/// </summary>
internal sealed class CommitReader(PostgresSessions sessions, HeadReader heads)
{
    private const int PageCommitsMax = 1000;

    /// <summary>Bodies of a page together; one commit is always taken.</summary>
    private const long PageBytesMax = 4 * 1024 * 1024;

    public async IAsyncEnumerable<JournalCommit> ForwardAsync(
        JournalHandle handle, AgentVersion from, AgentVersion to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (long streamId, AgentVersion firstKept, AgentVersion next, AgentVersion last) = await ClipAsync(handle, from, to, cancellationToken).ConfigureAwait(false);
        Task<List<JournalCommit>>? ahead = null;
        try
        {
            for (int pages = 1; next <= last; pages++)
            {
                cancellationToken.ThrowIfCancellationRequested(); // also where the page is there already
                List<JournalCommit> page = await (ahead ?? ReadAsync(next)).ConfigureAwait(false);
                AgentVersion following = page[^1].Version.Next;
                // Who took a second page mostly takes a third: the database reads it while this one is used.
                ahead = pages > 1 && following <= last ? ReadAsync(following) : null;
                foreach (JournalCommit commit in page)
                {
                    yield return commit.Version == next ? commit : throw await MissingAsync(handle, streamId, next, cancellationToken).ConfigureAwait(false);
                    next = next.Next;
                }
            }
        }
        finally
        {
            // Of a reader that has left: nothing runs on behind it, and nobody asked for what this page would have said.
            if (ahead is not null)
                await ((Task)ahead).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Task<List<JournalCommit>> ReadAsync(AgentVersion first) =>
            PageAsync(SqlText.ReadForward, handle, streamId, firstKept, first, last, first, cancellationToken);
    }

    public async IAsyncEnumerable<JournalCommit> BackwardAsync(
        JournalHandle handle, AgentVersion from, AgentVersion to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (long streamId, AgentVersion firstKept, AgentVersion first, AgentVersion next) = await ClipAsync(handle, from, to, cancellationToken).ConfigureAwait(false);
        while (next >= first)
        {
            foreach (JournalCommit commit in await PageAsync(SqlText.ReadBackward, handle, streamId, firstKept, first, next, next, cancellationToken).ConfigureAwait(false))
            {
                yield return commit.Version == next ? commit : throw await MissingAsync(handle, streamId, next, cancellationToken).ConfigureAwait(false);
                next = new AgentVersion(next.Value - 1);
            }
        }
    }

    /// <returns>
    /// The agent's row number, the oldest version kept, and the part of the range that is kept: empty (first above last)
    /// where there is none. Every version in it must be found under that number, whatever the handle learns meanwhile.
    /// </returns>
    private async Task<(long StreamId, AgentVersion FirstKept, AgentVersion First, AgentVersion Last)> ClipAsync(
        JournalHandle handle, AgentVersion from, AgentVersion to, CancellationToken cancellationToken)
    {
        JournalHead? head = await heads.ReadAsync(handle, cancellationToken).ConfigureAwait(false);
        if (head is null)
            return (0, new AgentVersion(1), new AgentVersion(1), AgentVersion.None);
        return (handle.StoreKey, head.FirstVersion, from < head.FirstVersion ? head.FirstVersion : from, to > head.Version ? head.Version : to);
    }

    /// <summary>Up to a page's worth of the range; it holds <paramref name="expected"/>, where the page begins.</summary>
    private async Task<List<JournalCommit>> PageAsync(
        string sql, JournalHandle handle, long streamId, AgentVersion firstKept, AgentVersion from, AgentVersion to, AgentVersion expected,
        CancellationToken cancellationToken)
    {
        (List<JournalCommit> page, AgentVersion missing) = await sessions.CallAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                command.AddRange(
                    PgParameter.Of(streamId), PgParameter.Of(from.Value), PgParameter.Of(to.Value),
                    PgParameter.Of((long)PageCommitsMax), PgParameter.Of(PageBytesMax));
                await command.PrepareAsync(token).ConfigureAwait(false);
                await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                var commits = new List<JournalCommit>();
                CommitHash? beforePage = null;
                while (await row.ReadAsync(token).ConfigureAwait(false))
                {
                    commits.Add(Commit(row, handle.Agent));
                    beforePage = StoredHash.ReadOrNull(row, 6, handle.Agent) ?? beforePage;
                }
                return commits.Count > 0 && commits[0].Version == expected ? CheckChain(handle.Agent, firstKept, beforePage, commits) : ([], expected);
            },
            cancellationToken).ConfigureAwait(false);
        return page.Count > 0 ? page : throw await MissingAsync(handle, streamId, missing, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The page up to a version that is missing in it; the page that begins with that one is empty and tells why. Nothing
    /// is handed out unchecked: where the oldest commit has none to be checked against, the page is empty.
    /// </summary>
    private static (List<JournalCommit> Page, AgentVersion Missing) CheckChain(
        AgentId agent, AgentVersion firstKept, CommitHash? beforePage, List<JournalCommit> page)
    {
        bool isAscending = page.Count < 2 || page[0].Version < page[1].Version;
        int count = 1;
        while (count < page.Count && Math.Abs(page[count].Version.Value - page[count - 1].Version.Value) == 1)
            count++;
        List<JournalCommit> whole = page[..count];
        IEnumerable<JournalCommit> oldestFirst = isAscending ? whole : Enumerable.Reverse(whole);
        // What a page chains on is in front of its oldest commit, which behind a gap is not of this run.
        CommitHash? previous = isAscending || count == page.Count ? beforePage : null;
        AgentVersion oldest = whole[isAscending ? 0 : ^1].Version;
        if (previous is null && oldest.Value > 1 && oldest > firstKept)
            return ([], new AgentVersion(oldest.Value - 1));
        foreach (JournalCommit commit in oldestFirst)
        {
            CommitChain.Check(agent, firstKept, previous, commit);
            previous = commit.Hash;
        }
        return (whole, AgentVersion.None);
    }

    /// <summary>Why a commit that should be there is not: removed or trimmed since the range was clipped, or lost.</summary>
    private async Task<StatehouseException> MissingAsync(
        JournalHandle handle, long streamId, AgentVersion version, CancellationToken cancellationToken)
    {
        JournalHead? head = await heads.ReadAsync(handle, cancellationToken).ConfigureAwait(false);
        if (head is null || handle.StoreKey != streamId)
            return new HistoryTrimmedException($"Agent {handle.Agent} was removed while its commit {version} was read.");
        return version < head.FirstVersion
            ? new HistoryTrimmedException($"Commit {version} of {handle.Agent} was trimmed while it was read; the oldest kept one is {head.FirstVersion}.")
            : CommitChain.Broken(handle.Agent, version, $"Commit {version} of {handle.Agent} is missing from the journal.");
    }

    /// <summary>Columns: version, commit_ts, committed_at, txn_id, hash, body; then what the page's first version chains on.</summary>
    private static JournalCommit Commit(NpgsqlDataReader row, AgentId agent) => new(
        new AgentVersion(row.GetInt64(0)),
        new CommitTs(row.GetInt64(1)),
        new CommitTime(row.GetInt64(2)),
        row.GetGuid(3),
        StoredHash.Read(row, 4, agent),
        row.GetFieldValue<byte[]>(5));
}

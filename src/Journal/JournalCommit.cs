namespace Statehouse.Journal;

/// <summary>One commit as a journal keeps it: a header and a body whose meaning the journal does not know.</summary>
/// <param name="Version">Its number in the agent's journal.</param>
/// <param name="CommitTs">Its transaction's position in the feed; <see cref="CommitTs.None"/> until the journal acknowledged it.</param>
/// <param name="Time">Wall-clock UTC when it was decided.</param>
/// <param name="TxnId">The transaction it belongs to; commits of several agents share it.</param>
/// <param name="Hash">Links it to the commit before it: <see cref="CommitHash.Chain"/>.</param>
/// <param name="Body">
/// UTF-8 JSON, one object. Where a line feed follows directly on it, what stands behind is the commit's
/// <see cref="Detail"/>. Line feeds inside of the object are white space of values, and mean nothing.
/// </param>
public sealed record JournalCommit(
    AgentVersion Version,
    CommitTs CommitTs,
    CommitTime Time,
    Guid TxnId,
    CommitHash Hash,
    ReadOnlyMemory<byte> Body)
{
    /// <summary>The body without the detail: what the hash covers.</summary>
    public ReadOnlyMemory<byte> Canonical => Body[..CommitBody.CanonicalLength(Body.Span)];

    /// <summary>
    /// Data that may be dropped when it is old without breaking the chain, since the canonical body holds only its
    /// digest. Empty where there is none, or where it was dropped.
    /// </summary>
    public ReadOnlyMemory<byte> Detail =>
        CommitBody.CanonicalLength(Body.Span) is var length && length < Body.Length ? Body[(length + 1)..] : default;

    /// <summary>How the agent can be found from this commit on; null = as before. Not part of the journal: only written, never read back.</summary>
    public IndexRow? Index { get; init; }

    /// <summary>Bytes that this commit adds to a journal: its body and its fixed-size header.</summary>
    public long Bytes => Body.Length + HeaderBytes;

    private const int HeaderBytes = 8 + 8 + 8 + 16 + CommitHash.Size;
}

/// <summary>Where one agent's journal ends.</summary>
/// <param name="Agent">Whose journal.</param>
/// <param name="Version">Its last commit.</param>
/// <param name="CommitTs">Of the last commit.</param>
/// <param name="Time">Of the last commit.</param>
/// <param name="Hash">Of the last commit: what the next one chains on.</param>
/// <param name="FirstVersion">The oldest commit still kept; more than 1 where history was trimmed.</param>
public sealed record JournalHead(
    AgentId Agent,
    AgentVersion Version,
    CommitTs CommitTs,
    CommitTime Time,
    CommitHash Hash,
    AgentVersion FirstVersion);

/// <summary>An agent's state at one version, as bytes. Always equal to the fold of the journal up to that version (I5).</summary>
/// <param name="Version">The last commit folded into it.</param>
/// <param name="Hash">The chain's hash at that version: the tail must chain on it.</param>
/// <param name="Body">Whatever the owner of the meaning encoded; the store keeps a checksum beside it.</param>
public sealed record JournalSnapshot(AgentVersion Version, CommitHash Hash, ReadOnlyMemory<byte> Body);

/// <summary>A commit in the feed, with the agent that it belongs to.</summary>
public sealed record FeedCommit(AgentId Agent, JournalCommit Commit);

/// <summary>A page of the feed.</summary>
/// <param name="Commits">In commit_ts order; the commits of one transaction stand together and are never split over two pages.</param>
/// <param name="Through">Everything up to here has been looked at: pass it as the next page's <c>afterExclusive</c>.</param>
/// <param name="AtEnd">Nothing more was readable when this page was read.</param>
public sealed record FeedPage(IReadOnlyList<FeedCommit> Commits, CommitTs Through, bool AtEnd);

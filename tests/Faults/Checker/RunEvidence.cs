using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>All that is known of a run once it is over, everything was healed and every server was started anew.</summary>
/// <param name="Calls">What clients asked and were told, by number.</param>
/// <param name="Seen">What followers were shown.</param>
/// <param name="Journals">Each agent's journal, as read after the restart.</param>
/// <param name="Feed">The whole feed after the restart, in its order.</param>
public sealed record RunEvidence(
    IReadOnlyList<RecordedCall> Calls,
    IReadOnlyList<SeenCommit> Seen,
    IReadOnlyDictionary<AgentName, AgentJournal> Journals,
    IReadOnlyList<FeedEntry> Feed)
{
    /// <summary>What readers of the feed were shown while the run went on, each reader's in its order.</summary>
    public IReadOnlyList<FeedStretch> FeedSeen { get; init; } = [];
}

/// <summary>An agent's journal and what the server says follows from it.</summary>
/// <param name="Agent">Whose.</param>
/// <param name="Commits">In the order in which the journal gave them.</param>
/// <param name="State">The live state that the server answers (a scan of everything), with its version.</param>
/// <param name="HeadHash">The hash that the server calls the agent's last; lower-case hexadecimal.</param>
public sealed record AgentJournal(AgentName Agent, IReadOnlyList<JournaledCommit> Commits, ScanAnswer State, string HeadHash);

/// <param name="Version">Agent version.</param>
/// <param name="CommitTs">Position in the feed.</param>
/// <param name="Time">As on the wire: RFC 3339 with six decimals.</param>
/// <param name="TxnId">As on the wire.</param>
/// <param name="Hash">Lower-case hexadecimal.</param>
/// <param name="Body">The commit's body, byte for byte as it stands on the wire: what the hash covers (docs/data-layout.md).</param>
/// <param name="Operations">Taken from the body.</param>
/// <param name="IdempotencyKey">Taken from the body; null = none.</param>
public sealed record JournaledCommit(
    long Version, long CommitTs, string Time, string TxnId, string Hash, string Body,
    IReadOnlyList<JournaledOperation> Operations, string? IdempotencyKey);

/// <param name="Key">Which key.</param>
/// <param name="Value">JSON text; null = delete.</param>
/// <param name="KeyVersion">The key version that it made.</param>
public sealed record JournaledOperation(string Key, string? Value, long KeyVersion);

/// <param name="Agent">Whose commit.</param>
/// <param name="Version">Its agent version.</param>
/// <param name="CommitTs">Position.</param>
/// <param name="Hash">Lower-case hexadecimal.</param>
public sealed record FeedEntry(AgentName Agent, long Version, long CommitTs, string Hash);

/// <summary>A page of the feed, or what one stream of it delivered.</summary>
/// <param name="Reader">Whose: it reads the feed from its start on, and goes on where it was over all its reconnections.</param>
/// <param name="After">The position that it asked with: <c>17</c> is after the commits with commit_ts 17, <c>17.0</c> after the first of them.</param>
/// <param name="Through">The position that it was told to go on from.</param>
/// <param name="Entries">In the order in which they came.</param>
/// <param name="SeenAt">When it had the last of them; microseconds since the run began.</param>
public sealed record FeedStretch(string Reader, string After, string Through, IReadOnlyList<FeedEntry> Entries, long SeenAt);

/// <summary>Something that must not be.</summary>
/// <param name="Rule">What was broken: <c>I1</c> … <c>I11</c>, <c>linearizable</c>, or a workload's own rule.</param>
/// <param name="Message">One sentence: which agent, which version, what was seen, what should have been.</param>
/// <param name="Calls">The fewest recorded calls that show it; empty where the journal alone shows it.</param>
public sealed record Violation(string Rule, string Message, IReadOnlyList<RecordedCall> Calls);

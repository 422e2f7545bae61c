using System.Collections.Immutable;
using Statehouse.Journal;

namespace Statehouse.Agents;

/// <summary>How fresh a read of the latest state must be. Either way nothing is shown that is not durable (I10).</summary>
public enum Consistency : byte
{
    /// <summary>The state that this process knows: the newest, unless another process writes the same agent.</summary>
    Default = 0,

    /// <summary>Asks the journal where the agent stands before it answers.</summary>
    Strong = 1,
}

public enum ReadPointKind : byte
{
    Latest = 0,
    AgentVersion = 1,
    Time = 2,
    KeyVersion = 3,
    CommitTs = 4,
}

/// <summary>The moment that a read asks about.</summary>
/// <param name="Kind">What <paramref name="Value"/> counts.</param>
/// <param name="Value">An agent version, microseconds since 1970, a key version, or a commit_ts; unused for the latest.</param>
public readonly record struct ReadPoint(ReadPointKind Kind, long Value)
{
    public static readonly ReadPoint Latest = default;

    public static ReadPoint AtVersion(AgentVersion version) => new(ReadPointKind.AgentVersion, version.Value);

    public static ReadPoint AtTime(CommitTime time) => new(ReadPointKind.Time, time.UnixMicroseconds);

    /// <summary>Only for reads of one key.</summary>
    public static ReadPoint AtKeyVersion(KeyVersion version) => new(ReadPointKind.KeyVersion, version.Value);

    public static ReadPoint AtCommitTs(CommitTs commitTs) => new(ReadPointKind.CommitTs, commitTs.Value);
}

/// <param name="Key">Which key.</param>
/// <param name="At">As of when.</param>
/// <param name="Consistency">Only for <see cref="ReadPoint.Latest"/>.</param>
public sealed record GetRequest(Key Key, ReadPoint At = default, Consistency Consistency = Consistency.Default);

/// <summary>One key as it was at the moment asked for.</summary>
/// <param name="Key">Which key.</param>
/// <param name="Exists">False for a tombstone and for a key that was never written.</param>
/// <param name="Value">Its JSON text; default where it does not exist.</param>
/// <param name="Version">Its key version; 0 where it was never written.</param>
/// <param name="CommitTs">Of the commit that wrote this version; 0 where it was never written.</param>
/// <param name="Time">Of that commit.</param>
/// <param name="AgentVersion">The agent version that this answer was read at.</param>
public sealed record KeyState(
    Key Key,
    bool Exists,
    JsonText Value,
    KeyVersion Version,
    CommitTs CommitTs,
    CommitTime Time,
    AgentVersion AgentVersion);

/// <param name="Prefix">Keys that start with these bytes; default = all.</param>
/// <param name="After">Keys after this one in byte order; default = from the first.</param>
/// <param name="Limit">1..1,000.</param>
/// <param name="KeysOnly">Leave the values out.</param>
/// <param name="At">As of when: latest, agent version, time or commit_ts.</param>
/// <param name="Consistency">Only for <see cref="ReadPoint.Latest"/>.</param>
public sealed record ScanRequest(
    Key Prefix, Key After, int Limit, bool KeysOnly = false, ReadPoint At = default, Consistency Consistency = Consistency.Default);

/// <summary>Live keys in byte order.</summary>
/// <param name="AgentVersion">All items are of this version; pass it with the next page.</param>
/// <param name="Items">Up to the limit; <see cref="KeyState.Value"/> is default where only keys were asked for.</param>
/// <param name="HasMore">More keys follow the last item.</param>
public sealed record ScanPage(AgentVersion AgentVersion, ImmutableArray<KeyState> Items, bool HasMore);

/// <summary>Where an agent stands.</summary>
/// <param name="Version">Its last commit.</param>
/// <param name="CommitTs">Of the last commit.</param>
/// <param name="Time">Of the last commit.</param>
/// <param name="Hash">Of the last commit.</param>
/// <param name="KeyCount">Live keys.</param>
/// <param name="Bytes">What <see cref="Limits.StateBytesMax"/> counts.</param>
/// <param name="FirstVersion">The oldest commit still kept.</param>
public sealed record AgentHead(
    AgentVersion Version, CommitTs CommitTs, CommitTime Time, CommitHash Hash, long KeyCount, long Bytes, AgentVersion FirstVersion);

/// <param name="From">First version wanted, inclusive; 0 or 1 = from the oldest kept one.</param>
/// <param name="To">Last version wanted, inclusive; null = to the newest.</param>
/// <param name="Limit">1..1,000.</param>
/// <param name="NewestFirst">Descending order.</param>
public sealed record HistoryRequest(AgentVersion From, AgentVersion? To, int Limit, bool NewestFirst = false);

/// <summary>Commits of one agent.</summary>
/// <param name="Commits">In the order asked for.</param>
/// <param name="HasMore">More commits of the range follow.</param>
public sealed record HistoryPage(ImmutableArray<JournalCommit> Commits, bool HasMore);

/// <summary>Agents of a namespace in byte order of their ids.</summary>
public sealed record AgentPage(ImmutableArray<JournalHead> Items, bool HasMore);

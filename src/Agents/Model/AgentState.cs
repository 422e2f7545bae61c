using Statehouse.Journal;

namespace Statehouse.Agents.Model;

/// <summary>
/// Everything an agent knows at one version: always the fold of its journal up to there (I5). Immutable; states of
/// different versions share structure.
/// </summary>
public sealed record AgentState
{
    private AgentState(AgentId agent) => Agent = agent;

    public AgentId Agent { get; }

    /// <summary>The last commit folded in; 0 = none yet.</summary>
    public AgentVersion Version => Stamp.Version;

    /// <summary>Of the last commit; all zero where there is none.</summary>
    public CommitStamp Stamp { get; private init; } = NoCommit;

    /// <summary>Of the last commit: what the next one chains on.</summary>
    public CommitHash Hash { get; private init; }

    public KeyMap Keys { get; private init; } = KeyMap.Empty;

    public IdempotencyMemory Idempotency { get; private init; } = IdempotencyMemory.Empty;

    /// <summary>Keys that exist; tombstones do not.</summary>
    public long LiveKeyCount { get; private init; }

    /// <summary>Keys ever written: live ones and tombstones.</summary>
    public long KeyCount { get; private init; }

    /// <summary>Live keys and values, and the keys of tombstones.</summary>
    public long Bytes { get; private init; }

    private static readonly CommitStamp NoCommit = new(AgentVersion.None, default);

    /// <summary>An agent that has no commit yet.</summary>
    public static AgentState Empty(AgentId agent) => new(agent) { Hash = CommitHash.Genesis(agent) };

    /// <summary>A state that a snapshot holds.</summary>
    internal static AgentState Restore(
        AgentId agent, CommitStamp stamp, CommitHash hash, IReadOnlyList<KeyEntry> sortedKeys, IdempotencyMemory idempotency) =>
        new(agent)
        {
            Stamp = stamp,
            Hash = hash,
            Keys = KeyMap.FromSorted(sortedKeys),
            Idempotency = idempotency,
            LiveKeyCount = sortedKeys.Count(entry => entry.IsLive),
            KeyCount = sortedKeys.Count,
            Bytes = sortedKeys.Sum(entry => entry.Bytes),
        };

    /// <summary>The state after one more commit. Total: whatever can be refused was refused by decide.</summary>
    internal AgentState Apply(Commit commit, int idempotencyKeysMax)
    {
        KeyMap keys = Keys;
        long live = LiveKeyCount;
        long count = KeyCount;
        long bytes = Bytes;
        foreach (AppliedOperation operation in commit.Operations)
        {
            KeyEntry? before = keys.Find(operation.Key);
            var after = new KeyEntry(before?.Key ?? operation.Key, operation.Version, operation.Value, commit.Stamp);
            keys = keys.With(after);
            live += (after.IsLive ? 1 : 0) - (before is { IsLive: true } ? 1 : 0);
            count += before is null ? 1 : 0;
            bytes += after.Bytes - (before?.Bytes ?? 0);
        }

        return this with
        {
            Stamp = commit.Stamp,
            Hash = commit.Hash,
            Keys = keys,
            LiveKeyCount = live,
            KeyCount = count,
            Bytes = bytes,
            Idempotency = commit.IdempotencyKey is { } key
                ? Idempotency.With(Remember(commit, key), idempotencyKeysMax)
                : Idempotency,
        };
    }

    private static RememberedCommit Remember(Commit commit, string key) => new(
        key, commit.Stamp, commit.TxnId, commit.Hash, ContentDigest.Of(commit.Operations, commit.Metadata), commit.Metadata);
}

using System.Collections.Immutable;
using Statehouse.Journal;

namespace Statehouse.Agents.Model;

/// <summary>What an agent remembers of a commit that carried an idempotency key: enough to answer a repeat.</summary>
/// <param name="Key">The idempotency key.</param>
/// <param name="Stamp">The commit's version, time and position.</param>
/// <param name="TxnId">The commit's transaction.</param>
/// <param name="Hash">The commit's hash.</param>
/// <param name="Content">What the caller asked for; a repeat must ask for the same.</param>
/// <param name="Metadata">Returned with the receipt.</param>
public sealed record RememberedCommit(
    string Key, CommitStamp Stamp, Guid TxnId, CommitHash Hash, ContentDigest Content, JsonText Metadata)
{
    /// <summary>The first receipt again. Its key versions are left to the journal.</summary>
    public CommitReceipt ToReceipt() =>
        new(Stamp.Version, Stamp.CommitTs, Stamp.Time, TxnId, Hash, Key, Metadata, default, Replayed: true);
}

/// <summary>The last idempotency keys that an agent has seen, oldest first (I6). Immutable; part of the state.</summary>
public sealed class IdempotencyMemory
{
    public static readonly IdempotencyMemory Empty = new(
        ImmutableDictionary.Create<string, RememberedCommit>(StringComparer.Ordinal), ImmutableQueue<RememberedCommit>.Empty);

    private readonly ImmutableDictionary<string, RememberedCommit> _byKey;
    private readonly ImmutableQueue<RememberedCommit> _oldestFirst;

    private IdempotencyMemory(ImmutableDictionary<string, RememberedCommit> byKey, ImmutableQueue<RememberedCommit> oldestFirst)
    {
        _byKey = byKey;
        _oldestFirst = oldestFirst;
    }

    public int Count => _byKey.Count;

    public IEnumerable<RememberedCommit> OldestFirst => _oldestFirst;

    public RememberedCommit? Find(string key) => _byKey.GetValueOrDefault(key);

    /// <param name="commit">Its key is not remembered yet.</param>
    /// <param name="keysMax">Beyond it the oldest is forgotten.</param>
    public IdempotencyMemory With(RememberedCommit commit, int keysMax)
    {
        ImmutableDictionary<string, RememberedCommit> byKey = _byKey.SetItem(commit.Key, commit);
        ImmutableQueue<RememberedCommit> oldestFirst = _oldestFirst.Enqueue(commit);
        while (byKey.Count > keysMax)
        {
            oldestFirst = oldestFirst.Dequeue(out RememberedCommit forgotten);
            byKey = byKey.Remove(forgotten.Key);
        }
        return new IdempotencyMemory(byKey, oldestFirst);
    }
}

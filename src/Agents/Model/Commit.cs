using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Statehouse.Journal;

namespace Statehouse.Agents.Model;

/// <summary>An operation as it was decided: with the key version that it makes.</summary>
/// <param name="Kind">Put or delete.</param>
/// <param name="Key">Which key.</param>
/// <param name="Value">
/// The whole value of a put. Of a detached one it is absent where the commit was read from the journal, until it is restored
/// from what <paramref name="Detached"/> has.
/// </param>
/// <param name="Version">The key version that it makes.</param>
/// <param name="Detached">Where the journal keeps the value beside the commit; null where it does not.</param>
public readonly record struct AppliedOperation(
    OperationKind Kind, Key Key, JsonText Value, KeyVersion Version, DetachedValue? Detached = null);

/// <summary>A decided commit: what is journaled, and what apply folds into a state.</summary>
/// <param name="Stamp">Its version, time and, once acknowledged, position.</param>
/// <param name="TxnId">The transaction it belongs to.</param>
/// <param name="Hash">Its link to the commit that it was decided on.</param>
/// <param name="Operations">In order.</param>
/// <param name="IdempotencyKey">As the caller gave it, or null.</param>
/// <param name="Metadata">As the caller gave it, or absent.</param>
/// <param name="Body">The journaled form of the last three, with the detail.</param>
public sealed record Commit(
    CommitStamp Stamp,
    Guid TxnId,
    CommitHash Hash,
    ImmutableArray<AppliedOperation> Operations,
    string? IdempotencyKey,
    JsonText Metadata,
    ReadOnlyMemory<byte> Body)
{
    public AgentVersion Version => Stamp.Version;

    public JournalCommit ToJournal() => new(Stamp.Version, Stamp.CommitTs, Stamp.Time, TxnId, Hash, Body);

    public CommitReceipt ToReceipt(bool replayed = false) => new(
        Stamp.Version, Stamp.CommitTs, Stamp.Time, TxnId, Hash, IdempotencyKey, Metadata, KeyVersions(), replayed);

    private ImmutableArray<KeyVersion> KeyVersions()
    {
        var versions = new KeyVersion[Operations.Length];
        for (int i = 0; i < versions.Length; i++)
            versions[i] = Operations[i].Version;
        return ImmutableCollectionsMarshal.AsImmutableArray(versions);
    }
}

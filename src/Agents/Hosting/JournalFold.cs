using System.Collections.Immutable;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>
/// Folds journaled commits into a state, one after the other, and restores detached values on the way.
/// </summary>
/// <remarks>
/// A value whose detail was dropped is not known, nor are those that differ from it, until the key is written whole or
/// deleted. Meanwhile the fold goes on: nobody is shown its state before <see cref="End"/> has found nothing unknown in it.
/// </remarks>
internal sealed class JournalFold(AgentState start, Limits limits)
{
    /// <summary>Keys whose value is not known, with the version whose detail was dropped. They are folded like tombstones.</summary>
    private readonly Dictionary<Key, AgentVersion> _unknown = [];

    private AgentState _state = start;

    /// <summary>The last commit folded in.</summary>
    public AgentVersion Version => _state.Version;

    /// <summary>Journal bytes folded in.</summary>
    public long Bytes { get; private set; }

    /// <summary>Folds one commit that the journal says comes next.</summary>
    /// <returns>The commit; of a detached put whose value is not known, that is absent.</returns>
    /// <exception cref="InvariantBrokenException">SH-9001. It does not follow, or a value is not what its digest says.</exception>
    public Commit Add(JournalCommit journaled)
    {
        AgentLoader.CheckLink(_state.Agent, _state.Stamp, _state.Hash, journaled);
        Commit commit = CommitBodyCodec.Decode(journaled);
        if (_unknown.Count > 0 || commit.Operations.Any(operation => operation.Detached is not null))
            commit = commit with { Operations = Restore(commit) };
        _state = _state.Apply(commit, limits.IdempotencyKeysMax);
        Bytes += journaled.Bytes;
        return commit;
    }

    /// <summary>The state, where all of it is known.</summary>
    /// <exception cref="HistoryTrimmedException">SH-1008. It needs a detail that was dropped.</exception>
    public AgentState End()
    {
        if (_unknown.Count == 0)
            return _state;
        (Key key, AgentVersion dropped) = _unknown.First();
        throw new HistoryTrimmedException(
            $"Key \"{key}\" of agent {_state.Agent} at version {_state.Version} rests on version {dropped}, whose detail is no longer kept.")
        {
            Details = new Dictionary<string, string> { ["key"] = key.ToString(), ["agent_version"] = dropped.ToString() },
        };
    }

    private ImmutableArray<AppliedOperation> Restore(Commit commit)
    {
        ImmutableArray<AppliedOperation>.Builder restored = commit.Operations.ToBuilder();
        for (int i = 0; i < restored.Count; i++)
        {
            AppliedOperation operation = restored[i];
            if (operation.Detached is not { } value)
                _unknown.Remove(operation.Key);
            else if (value.Form == DetachedForm.Dropped)
                _unknown[operation.Key] = commit.Version;
            else if (value.Form == DetachedForm.Whole || !_unknown.ContainsKey(operation.Key))
                restored[i] = Restore(commit, operation, value, Before(restored, i));
        }
        return restored.MoveToImmutable();
    }

    private AppliedOperation Restore(Commit commit, AppliedOperation operation, DetachedValue value, JsonText before)
    {
        try
        {
            JsonText whole = value.Restore(before);
            _unknown.Remove(operation.Key);
            return operation with { Value = whole };
        }
        catch (FormatException error)
        {
            throw new InvariantBrokenException(
                $"The detail of commit {commit.Version} (txn {commit.TxnId}) of agent {_state.Agent} does not make the value of key \"{operation.Key}\".", error);
        }
    }

    /// <summary>The key's value just before an operation: earlier ones of the same commit count.</summary>
    private JsonText Before(ImmutableArray<AppliedOperation>.Builder operations, int index)
    {
        Key key = operations[index].Key;
        for (int i = index - 1; i >= 0; i--)
        {
            if (operations[i].Key == key)
                return operations[i].Value;
        }
        return _state.Keys.Find(key)?.Value ?? default;
    }
}

using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Statehouse.Agents.Codec;
using Statehouse.Journal;

namespace Statehouse.Agents.Model;

/// <summary>What decide makes of a request: exactly one of the three is set.</summary>
/// <param name="Commit">To be journaled.</param>
/// <param name="Repeat">The commit that had this idempotency key and content before: answer with its receipt, write nothing.</param>
/// <param name="Refusal">The reason why not. Not thrown yet: it may rest on commits that are not durable.</param>
internal readonly record struct Decision(Commit? Commit, RememberedCommit? Repeat, StatehouseException? Refusal)
{
    /// <summary>
    /// Decides a request on a state. Pure: the same arguments make the same decision, byte for byte.
    /// </summary>
    /// <param name="state">What the decision is made on.</param>
    /// <param name="request">Checked by <see cref="CommitRules"/> already.</param>
    /// <param name="txnId">The transaction that the commit will belong to.</param>
    /// <param name="now">The clock's reading; moved up to the agent's last time where it is behind it.</param>
    /// <param name="limits">Only the state's size is looked at here.</param>
    public static Decision Of(AgentState state, CommitRequest request, Guid txnId, CommitTime now, Limits limits)
    {
        if (request.IdempotencyKey is { } key && state.Idempotency.Find(key) is { } remembered)
            return OfRepeat(state.Agent, request, remembered);
        if (request.IfAgentVersion is { } expected && expected != state.Version)
            return Refuse(Conflict(state.Agent, "agent version", null, expected.Value, state.Version.Value));
        // A commit that is still on its way has none yet, so nobody can have seen it.
        if (request.IfAgentCommitTs is { } position && position != state.Stamp.CommitTs)
            return Refuse(Conflict(state.Agent, "agent commit_ts", null, position.Value, state.Stamp.CommitTs.Value));
        if (StaleRead(state, request) is { } stale)
            return Refuse(stale);

        var staging = new Staging(state, request.Operations.Length);
        foreach (Operation operation in request.Operations)
        {
            if (staging.Add(operation) is { } conflict)
                return Refuse(conflict);
        }
        if (staging.Bytes > limits.StateBytesMax && staging.Bytes > state.Bytes)
        {
            return Refuse(RefusedException.OverLimit(
                $"state of agent {state.Agent}", "state_bytes_max", limits.StateBytesMax, staging.Bytes));
        }
        return new Decision(Link(state, request, staging.ToOperations(), txnId, now), null, null);
    }

    /// <summary>The conflict, where something that was read has changed since.</summary>
    public static StateConflictException? StaleRead(AgentState state, CommitRequest request)
    {
        foreach (ReadCheck read in request.Reads)
        {
            KeyVersion actual = state.Keys.Find(read.Key)?.Version ?? KeyVersion.None;
            if (actual != read.Version)
                return Conflict(state.Agent, "key", read.Key, read.Version.Value, actual.Value);
        }
        return null;
    }

    private static Commit Link(
        AgentState state, CommitRequest request, ImmutableArray<AppliedOperation> operations, Guid txnId, CommitTime now)
    {
        CommitTime time = now < state.Stamp.Time ? state.Stamp.Time : now;
        AgentVersion version = state.Version.Next;
        byte[] body = CommitBodyCodec.Encode(operations, request.IdempotencyKey, request.Metadata);
        CommitHash hash = CommitHash.Chain(state.Hash, version, time, txnId, body);
        return new Commit(
            new CommitStamp(version, time), txnId, hash, operations, request.IdempotencyKey, request.Metadata, body);
    }

    private static Decision OfRepeat(AgentId agent, CommitRequest request, RememberedCommit remembered)
    {
        if (ContentDigest.Of(request.Operations, request.Metadata) == remembered.Content)
            return new Decision(null, remembered, null);
        return Refuse(new RefusedException(
            ErrorCode.IdempotencyKeyReused,
            $"The idempotency key \"{remembered.Key}\" was used for version {remembered.Stamp.Version} of agent {agent} with other content.")
        {
            Details = new Dictionary<string, string>
            {
                ["field"] = "idempotency_key",
                ["value"] = remembered.Key,
                ["agent_version"] = remembered.Stamp.Version.ToString(),
            },
        });
    }

    private static Decision Refuse(StatehouseException refusal) => new(null, null, refusal);

    private static StateConflictException Conflict(AgentId agent, string what, Key? key, long expected, long actual)
    {
        var details = new Dictionary<string, string>
        {
            ["namespace"] = agent.Namespace,
            ["agent"] = agent.Name,
            ["expected"] = expected.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["actual"] = actual.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        if (key is { } name)
            details["key"] = name.ToString();
        string subject = key is null ? $"The {what} of {agent}" : $"The version of key \"{key}\" of {agent}";
        return new StateConflictException($"{subject} is {actual}; the request needs {expected}.") { Details = details };
    }

    /// <summary>Operations of one commit in turn: a later one sees the earlier ones.</summary>
    private ref struct Staging(AgentState state, int count)
    {
        // Linear search beats hashing while a commit is small, as nearly all are.
        private const int LinearUpTo = 8;

        private readonly AppliedOperation[] _operations = new AppliedOperation[count];
        private int _staged;
        private readonly Dictionary<Key, int>? _latest = count > LinearUpTo ? new Dictionary<Key, int>(count) : null;

        // Of the detached puts: where they stand, the key's value just before, and whether they are to be kept whole.
        private List<(int Index, JsonText Before, bool IsWhole)>? _detached;

        /// <summary>The state's size after the operations so far.</summary>
        public long Bytes { get; private set; } = state.Bytes;

        /// <summary>All operations, once: nothing is staged after it. Differences are made here, when nothing can be refused any more.</summary>
        public ImmutableArray<AppliedOperation> ToOperations()
        {
            if (_detached is not null)
            {
                foreach ((int index, JsonText before, bool isWhole) in _detached)
                    _operations[index] = _operations[index] with { Detached = DetachedValue.Of(_operations[index].Value, before, isWhole) };
            }
            return ImmutableCollectionsMarshal.AsImmutableArray(_operations);
        }

        /// <returns>The conflict, where a precondition does not hold.</returns>
        public StateConflictException? Add(Operation operation)
        {
            (KeyVersion version, long bytes, JsonText value) = Current(operation.Key);
            bool live = !value.IsAbsent;
            if (operation.IfVersion is { } expected && expected != version)
                return Conflict(state.Agent, "key", operation.Key, expected.Value, version.Value);
            if (operation.IfLive is { } mustBeLive && mustBeLive != live)
                return Existence(operation.Key, mustBeLive, version);

            if (_latest is not null)
                _latest[operation.Key] = _staged;
            if (operation is { Kind: OperationKind.Put, IsDetached: true })
                (_detached ??= []).Add((_staged, value, operation.IsWhole));
            _operations[_staged++] = new AppliedOperation(operation.Kind, operation.Key, operation.Value, version.Next);
            Bytes += operation.Key.Length + operation.Value.Length - bytes;
            return null;
        }

        private (KeyVersion Version, long Bytes, JsonText Value) Current(Key key)
        {
            int staged = IndexOf(key);
            if (staged >= 0)
            {
                AppliedOperation earlier = _operations[staged];
                return (earlier.Version, key.Length + earlier.Value.Length, earlier.Value);
            }
            return state.Keys.Find(key) is { } entry ? (entry.Version, entry.Bytes, entry.Value) : (KeyVersion.None, 0, default);
        }

        private int IndexOf(Key key)
        {
            if (_latest is not null)
                return _latest.TryGetValue(key, out int index) ? index : -1;
            for (int i = _staged - 1; i >= 0; i--)
            {
                if (_operations[i].Key == key)
                    return i;
            }
            return -1;
        }

        private StateConflictException Existence(Key key, bool mustBeLive, KeyVersion version) =>
            new($"Key \"{key}\" of {state.Agent} {(mustBeLive ? "does not exist" : "exists")}; the request needs the opposite.")
            {
                Details = new Dictionary<string, string>
                {
                    ["namespace"] = state.Agent.Namespace,
                    ["agent"] = state.Agent.Name,
                    ["key"] = key.ToString(),
                    ["expected"] = mustBeLive ? "exists" : "does not exist",
                    ["actual"] = version.ToString(),
                },
            };
    }
}

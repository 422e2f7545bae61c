using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Statehouse.Journal;

namespace Statehouse.Agents.Transactions;

/// <summary>What one interactive transaction has staged and read so far. Members but its constants need <see cref="TryEnter"/>.</summary>
internal sealed class OpenTransaction(Guid id, CommitTime began, long deadline)
{
    private bool _isEntered;

    public Guid Id { get; } = id;

    /// <summary>None of its commits can be older.</summary>
    public CommitTime Began { get; } = began;

    /// <summary>A commit was tried, and the journal could not tell what became of it.</summary>
    public bool IsInDoubt { get; set; }

    /// <summary>When it expires, by the clock's timestamp.</summary>
    public long Deadline { get; } = deadline;

    public int OperationCount { get; private set; }

    public long StagedBytes { get; private set; }

    /// <summary>In order of first touch.</summary>
    public List<AgentShare> Shares { get; } = [];

    /// <summary>One request of a transaction at a time: false where another one is inside; otherwise <see cref="Leave"/> must follow.</summary>
    public bool TryEnter() => !Interlocked.Exchange(ref _isEntered, true);

    public void Leave() => Volatile.Write(ref _isEntered, false);

    public AgentShare ShareOf(AgentId agent)
    {
        foreach (AgentShare share in Shares)
        {
            if (share.Agent == agent)
                return share;
        }
        var fresh = new AgentShare(agent);
        Shares.Add(fresh);
        return fresh;
    }

    public void Stage(ImmutableArray<StagedOperation> operations, long bytes)
    {
        foreach (StagedOperation staged in operations)
            ShareOf(staged.Agent).Stage(staged.Operation);
        OperationCount += operations.Length;
        StagedBytes += bytes;
    }
}

/// <summary>One agent's part in a transaction.</summary>
internal sealed class AgentShare(AgentId agent)
{
    // Made when they are needed: most transactions read nothing.
    private Dictionary<Key, KeyState>? _read;
    private Dictionary<Key, (int Count, Operation Last)>? _staged;

    public AgentId Agent { get; } = agent;

    public List<Operation> Operations { get; } = [];

    /// <summary>All reads of this agent are as of this version: that of its first read.</summary>
    public AgentVersion? ReadAt { get; private set; }

    public void Stage(Operation operation)
    {
        Operations.Add(operation);
        if (_staged is not null)
            Count(_staged, operation);
    }

    public bool HasReads => _read is not null;

    public bool TryGetRead(Key key, [NotNullWhen(true)] out KeyState? state)
    {
        state = null;
        return _read is not null && _read.TryGetValue(key, out state);
    }

    public void Remember(KeyState read)
    {
        ReadAt ??= read.AgentVersion;
        (_read ??= [])[read.Key] = read;
    }

    /// <summary>What the transaction sees of a key: its own last operation on top of what it read.</summary>
    public KeyState Overlay(KeyState read)
    {
        _staged ??= CountAll();
        if (!_staged.TryGetValue(read.Key, out (int Count, Operation Last) staged))
            return read;
        bool exists = staged.Last.Kind == OperationKind.Put;
        return read with
        {
            Exists = exists,
            Value = staged.Last.Value,
            Version = new KeyVersion(read.Version.Value + staged.Count),
            CommitTs = CommitTs.None,
            Time = default,
        };
    }

    public CommitRequest ToRequest(Guid txnId) => new([.. Operations])
    {
        TxnId = txnId,
        Reads = _read is null ? [] : [.. _read.Values.Select(read => new ReadCheck(read.Key, read.Version))],
    };

    private Dictionary<Key, (int Count, Operation Last)> CountAll()
    {
        var staged = new Dictionary<Key, (int Count, Operation Last)>();
        foreach (Operation operation in Operations)
            Count(staged, operation);
        return staged;
    }

    private static void Count(Dictionary<Key, (int Count, Operation Last)> staged, Operation operation)
    {
        int before = staged.TryGetValue(operation.Key, out (int Count, Operation Last) earlier) ? earlier.Count : 0;
        staged[operation.Key] = (before + 1, operation);
    }
}

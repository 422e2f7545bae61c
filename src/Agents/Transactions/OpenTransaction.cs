using System.Collections.Immutable;
using Statehouse.Journal;

namespace Statehouse.Agents.Transactions;

/// <summary>What one interactive transaction has staged and read so far. Members need <see cref="Gate"/>.</summary>
internal sealed class OpenTransaction(Guid id, CommitTime began, long deadline)
{
    /// <summary>One request of a transaction at a time.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

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
    private readonly Dictionary<Key, KeyState> _read = [];
    private readonly Dictionary<Key, (int Count, Operation Last)> _staged = [];

    public AgentId Agent { get; } = agent;

    public List<Operation> Operations { get; } = [];

    /// <summary>All reads of this agent are as of this version: that of its first read.</summary>
    public AgentVersion? ReadAt { get; private set; }

    public void Stage(Operation operation)
    {
        Operations.Add(operation);
        int before = _staged.TryGetValue(operation.Key, out (int Count, Operation Last) earlier) ? earlier.Count : 0;
        _staged[operation.Key] = (before + 1, operation);
    }

    public bool HasReads => _read.Count > 0;

    public bool TryGetRead(Key key, out KeyState state) => _read.TryGetValue(key, out state!);

    public void Remember(KeyState read)
    {
        ReadAt ??= read.AgentVersion;
        _read[read.Key] = read;
    }

    /// <summary>What the transaction sees of a key: its own last operation on top of what it read.</summary>
    public KeyState Overlay(KeyState read)
    {
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
        Reads = [.. _read.Values.Select(read => new ReadCheck(read.Key, read.Version))],
    };
}

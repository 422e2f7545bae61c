using System.Collections.Immutable;
using Statehouse.Journal;

namespace Statehouse.Agents.Transactions;

internal enum TransactionEnd : byte
{
    Committed,
    Aborted,
    Refused,
    Expired,
    ExpiredInDoubt,
}

/// <summary>
/// How the last transactions ended, so that a repeated commit gets the same receipts and a late request learns that
/// it is late. Bounded: the oldest are forgotten, and are then simply unknown.
/// </summary>
internal sealed class EndedTransactions(int countMax)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, (TransactionEnd End, ImmutableArray<TransactionCommit> Commits)> _byId = [];
    private readonly Queue<Guid> _oldestFirst = new();

    public void Remember(Guid id, TransactionEnd end, ImmutableArray<TransactionCommit> commits = default)
    {
        lock (_lock)
        {
            if (!_byId.TryAdd(id, (end, commits)))
                return;
            _oldestFirst.Enqueue(id);
            if (_oldestFirst.Count > countMax)
                _byId.Remove(_oldestFirst.Dequeue());
        }
    }

    public bool TryGetCommits(Guid id, out ImmutableArray<TransactionCommit> commits)
    {
        lock (_lock)
        {
            bool found = _byId.TryGetValue(id, out (TransactionEnd End, ImmutableArray<TransactionCommit> Commits) ended);
            commits = ended.Commits;
            return found && ended.End == TransactionEnd.Committed;
        }
    }

    /// <summary>Why a transaction takes no more requests.</summary>
    public RefusedException ReasonFor(Guid id)
    {
        TransactionEnd? end;
        lock (_lock)
            end = _byId.TryGetValue(id, out (TransactionEnd End, ImmutableArray<TransactionCommit>) ended) ? ended.End : null;
        (ErrorCode code, string what) = end switch
        {
            TransactionEnd.Expired => (ErrorCode.TransactionExpired, "expired; nothing of it was written"),
            TransactionEnd.ExpiredInDoubt => (ErrorCode.TransactionExpired, "expired after a commit whose outcome is not known; read what it wrote"),
            TransactionEnd.Committed => (ErrorCode.TransactionNotFound, "was committed"),
            TransactionEnd.Aborted => (ErrorCode.TransactionNotFound, "was aborted"),
            TransactionEnd.Refused => (ErrorCode.TransactionNotFound, "has ended: its commit was refused"),
            _ => (ErrorCode.TransactionNotFound, "is not known here: it ended long ago, this server was restarted, or it belongs to another server"),
        };
        return new RefusedException(code, $"Transaction {id} {what}.")
        {
            Details = new Dictionary<string, string> { ["field"] = "txn_id", ["value"] = id.ToString() },
        };
    }
}

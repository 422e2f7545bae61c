using System.Collections.Immutable;
using Statehouse.Journal;

namespace Statehouse.Agents;

/// <summary>An operation staged in a transaction, with the agent that it is for.</summary>
public sealed record StagedOperation(AgentId Agent, Operation Operation);

/// <summary>What a transaction's commit did to one agent.</summary>
public sealed record TransactionCommit(AgentId Agent, CommitReceipt Receipt);

/// <summary>
/// Interactive transactions: staged in this process, committed together or not at all. What a transaction has read
/// is checked again by its commit. A process that dies takes its open transactions with it; nothing of them was written.
/// </summary>
/// <remarks>
/// Every member but <see cref="Begin"/> and <see cref="Abort"/> throws <see cref="RefusedException"/> SH-1005 for a
/// transaction that is unknown or ended, SH-1006 for one that expired.
/// </remarks>
public interface ITransactions
{
    /// <param name="timeout">1 ms..10 min; null = 30 s.</param>
    /// <returns>The transaction's id: the txn id of all its commits.</returns>
    /// <exception cref="RefusedException">SH-1003: the timeout is out of range.</exception>
    /// <exception cref="JournalBusyException">SH-2003: too many transactions are open.</exception>
    Guid Begin(TimeSpan? timeout);

    /// <summary>Stages operations in order; all of them or none.</summary>
    /// <exception cref="RefusedException">SH-1003, SH-1004. Nothing was staged; the transaction goes on.</exception>
    void Stage(Guid transaction, ImmutableArray<StagedOperation> operations);

    /// <summary>Reads a key: what this transaction staged last, else the agent's state as of the transaction's first read of that agent.</summary>
    ValueTask<KeyState> GetAsync(Guid transaction, AgentId agent, Key key, CancellationToken cancellationToken);

    /// <summary>Commits. Committing again returns the same receipts.</summary>
    /// <returns>One per agent touched, in order of first touch; empty where nothing was staged.</returns>
    /// <exception cref="StateConflictException">SH-1001. What was read or required has changed; the transaction has ended.</exception>
    ValueTask<ImmutableArray<TransactionCommit>> CommitAsync(Guid transaction, CancellationToken cancellationToken);

    /// <summary>Drops a transaction. Unknown, ended and expired ones are fine.</summary>
    void Abort(Guid transaction);
}

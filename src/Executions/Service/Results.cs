using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>What a write did.</summary>
/// <param name="View">The execution after it; on a repeat as it is now.</param>
/// <param name="Version">Of the commit.</param>
/// <param name="CommitTs">Of the commit.</param>
/// <param name="Time">Of the commit.</param>
/// <param name="TxnId">Of the commit.</param>
/// <param name="Hash">Of the commit.</param>
/// <param name="Replayed">An earlier commit answered; nothing was written.</param>
public sealed record Written(
    ExecutionView View, AgentVersion Version, CommitTs CommitTs, CommitTime Time, Guid TxnId, CommitHash Hash, bool Replayed)
{
    internal static Written By(ExecutionView view, CommitReceipt receipt) =>
        new(view, receipt.Version, receipt.CommitTs, receipt.Time, receipt.TxnId, receipt.Hash, Replayed: false);

    internal static Written Before(ExecutionView view, JournalCommit commit) =>
        new(view, commit.Version, commit.CommitTs, commit.Time, commit.TxnId, commit.Hash, Replayed: true);
}

/// <summary>An execution with what only its head tells.</summary>
/// <param name="View">The execution.</param>
/// <param name="Hash">Of its last commit.</param>
/// <param name="Result">Absent where there is none.</param>
public sealed record ExecutionDetail(ExecutionView View, CommitHash Hash, JsonText Result);

/// <summary>One checkpoint of a history.</summary>
/// <param name="Commit">Its commit.</param>
/// <param name="Step">Its step.</param>
/// <param name="StateBytes">Of its state's JSON text.</param>
/// <param name="Sha256">Of its state's JSON text, in hexadecimal.</param>
/// <param name="Restorable">Its state can be loaded.</param>
/// <param name="State">Absent where it was not asked for, or was thinned.</param>
public sealed record Checkpoint(JournalCommit Commit, long Step, long StateBytes, string Sha256, bool Restorable, JsonText State);

/// <summary>A step's state.</summary>
/// <param name="Commit">Of the checkpoint, or of the restore that made it the latest again.</param>
/// <param name="Step">Which step.</param>
/// <param name="State">It.</param>
public sealed record LoadedCheckpoint(JournalCommit Commit, long Step, JsonText State);

/// <summary>An execution that a claim handed out.</summary>
/// <param name="Written">The claim's commit.</param>
/// <param name="State">The latest state; absent before the first checkpoint.</param>
public sealed record ClaimedExecution(Written Written, JsonText State);

/// <summary>What a worker asks for.</summary>
/// <param name="Worker">1..256 bytes.</param>
public sealed record ClaimRequest(string Worker)
{
    public int Limit { get; init; } = 1;

    public string? Workflow { get; init; }

    /// <summary><c>name=value</c>, in byte order.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>null = each execution's recovery timeout.</summary>
    public long? LeaseMs { get; init; }
}

using System.Text.Json;

namespace Statehouse.Client;

/// <summary>Where a run stands. The last three are final.</summary>
public enum ExecutionStatus
{
    Pending,
    Running,
    Paused,
    Completed,
    Failed,
    Cancelled,
}

/// <summary>A run of a workflow, as it stands.</summary>
/// <remarks>
/// Step: of the last checkpoint; null before the first.
/// Checkpoints: how many were ever made.
/// StateBytes: of the latest state's JSON text.
/// Attempt: how often it was claimed.
/// Lease: null where nobody holds it.
/// Version: counts its commits.
/// CommitTs: 0 in the answers of a query.
/// Settings: null in the answers of a query.
/// Result: undefined in the answers of a query.
/// Hash: null in the answers of a query.
/// </remarks>
public sealed record Execution(
    string ExecutionId,
    string Workflow,
    ExecutionStatus Status,
    long? Step,
    long Checkpoints,
    long StateBytes,
    IReadOnlyDictionary<string, string> Labels,
    int Attempt,
    int MaxAttempts,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    ExecutionFailure? Error,
    ExecutionLease? Lease,
    long Version,
    long CommitTs = 0,
    ExecutionSettings? Settings = null,
    JsonElement Result = default,
    string? Hash = null)
{
    public bool IsFinal => Status is ExecutionStatus.Completed or ExecutionStatus.Failed or ExecutionStatus.Cancelled;
}

/// <summary>Who works on an execution.</summary>
/// <remarks>
/// Token: counts the claims: a write that carries an older one is refused.
/// </remarks>
public sealed record ExecutionLease(string Worker, long Token, DateTimeOffset Until);

/// <summary>Why an execution failed.</summary>
/// <remarks>
/// Details: any JSON.
/// </remarks>
public sealed record ExecutionFailure(string Message, string? Type = null, JsonElement? Details = null)
{
    public static ExecutionFailure Of(Exception exception) => new(exception.Message, exception.GetType().FullName);
}

/// <summary>How an execution is kept; what is null is the server's default. Bounds: docs/executions.md.</summary>
/// <param name="CheckpointInterval">At most every so many checkpoints is kept whole, the others as differences.</param>
/// <param name="CheckpointRetention">How many checkpoints can be loaded at least; 0 = all.</param>
/// <param name="RecoveryTimeoutMs">How long a lease lasts.</param>
public sealed record ExecutionSettings(int? CheckpointInterval = null, int? CheckpointRetention = null, long? RecoveryTimeoutMs = null);

/// <summary>An execution that is this worker's until its lease runs out.</summary>
/// <param name="Execution">It holds the lease.</param>
/// <param name="State">Of its last checkpoint; undefined before the first.</param>
public sealed record ClaimedExecution(Execution Execution, JsonElement State)
{
    public long Token => Execution.Lease!.Token;
}

/// <summary>What a namespace holds, and what its server has done since it started, for all namespaces.</summary>
/// <remarks>
/// Active: pending or running.
/// CheckpointLatencyMs: <c>p50</c>, <c>p90</c>, <c>p99</c>, in milliseconds; null before the server has made a checkpoint.
/// </remarks>
public sealed record ExecutionMetrics(
    long Total,
    long Active,
    IReadOnlyDictionary<string, long> ByStatus,
    long Checkpoints,
    long CheckpointBytes,
    IReadOnlyDictionary<string, double?> CheckpointLatencyMs,
    long Buffered,
    long Claims,
    long Recoveries);

/// <summary>What a cleanup did.</summary>
/// <remarks>
/// Matched: finished before the given time.
/// More: of a dry run, which asks once: whether there are more.
/// </remarks>
public sealed record CleanupResult(long Matched, long Removed, bool DryRun, bool More);

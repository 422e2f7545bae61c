using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>Commit <paramref name="Version"/> restored the execution to <paramref name="Step"/>: steps fall there.</summary>
public readonly record struct RestoreMark(AgentVersion Version, long Step);

/// <summary>The value of the key <c>run</c>: all of an execution that a checkpoint leaves as it is.</summary>
public sealed record ExecutionRun
{
    public required string Workflow { get; init; }

    public ExecutionStatus Status { get; init; }

    /// <summary>Sorted by name, byte for byte.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>Counts claims: 0 before the first, and again after a restore.</summary>
    public int Attempt { get; init; }

    public int MaxAttempts { get; init; } = ExecutionSettings.MaxAttemptsDefault;

    public CommitTime CreatedAt { get; init; }

    public CommitTime? StartedAt { get; init; }

    public CommitTime? FinishedAt { get; init; }

    /// <summary><c>{"message","type"?,"details"?}</c>; absent where there is none.</summary>
    public JsonText Error { get; init; }

    /// <summary>The key <c>result</c> exists.</summary>
    public bool HasResult { get; init; }

    /// <summary>The newest fencing token that was handed out; 0 = none was.</summary>
    public long Token { get; init; }

    /// <summary>Who holds the lease; null = nobody does, and the newest token is old.</summary>
    public string? Worker { get; init; }

    /// <summary>
    /// From when on a claim may have it, as of the commit that wrote this; null where it is paused or final.
    /// Checkpoints move it without writing it: <see cref="ExecutionView.DueAt"/>.
    /// </summary>
    public CommitTime? DueAt { get; init; }

    public ExecutionSettings Settings { get; init; } = ExecutionSettings.Default;

    /// <summary>All restores, oldest first.</summary>
    public ImmutableArray<RestoreMark> Restores { get; init; } = [];

    /// <summary>How many named snapshots there are.</summary>
    public int SnapshotCount { get; init; }

    /// <summary>Why it was paused or cancelled, as the caller said; null where nobody said.</summary>
    public string? Reason { get; init; }

    /// <summary>SHA-256 of what its creation asked for, so that the same creation again is known.</summary>
    public required string Creation { get; init; }
}

namespace Statehouse.Client;

/// <summary>An execution to be created.</summary>
/// <param name="Workflow">1..256 bytes.</param>
public sealed record NewExecution(string Workflow)
{
    /// <summary>null = one is drawn here, so that a repeat creates no second one.</summary>
    public string? ExecutionId { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Serialised as JSON: checkpoint 0. null = no checkpoint yet.</summary>
    public object? State { get; init; }

    public ExecutionSettings? Settings { get; init; }

    /// <summary>How often it is handed out before it fails; null = 3.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>The worker that holds its lease at once; null = nobody.</summary>
    public string? ClaimedBy { get; init; }
}

/// <summary>Which executions, in which order. All conditions must hold; the default of each holds always.</summary>
public sealed record ExecutionQuery
{
    /// <summary>Any of these; empty = all.</summary>
    public IReadOnlyCollection<ExecutionStatus> Statuses { get; init; } = [];

    public string? Workflow { get; init; }

    /// <summary>All of these.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Created; from inclusive, to exclusive.</summary>
    public DateTimeOffset? StartedFrom { get; init; }

    public DateTimeOffset? StartedTo { get; init; }

    /// <summary>Last changed; from inclusive, to exclusive.</summary>
    public DateTimeOffset? UpdatedFrom { get; init; }

    public DateTimeOffset? UpdatedTo { get; init; }

    /// <summary>By creation; else by the last change.</summary>
    public bool ByStart { get; init; }

    public bool OldestFirst { get; init; }
}

/// <summary>Which checkpoints of an execution.</summary>
public sealed record HistoryQuery
{
    /// <summary>Inclusive.</summary>
    public long? FromStep { get; init; }

    /// <summary>Inclusive.</summary>
    public long? ToStep { get; init; }

    public bool NewestFirst { get; init; }

    public bool WithState { get; init; }
}

/// <summary>What a worker wants to have.</summary>
/// <param name="Worker">1..256 bytes; shown to people.</param>
/// <param name="Limit">1..100.</param>
/// <param name="Workflow">null = any.</param>
/// <param name="Labels">All of these.</param>
/// <param name="Lease">The first one's length; null = the execution's recovery timeout.</param>
public sealed record ClaimRequest(
    string Worker, int Limit = 1, string? Workflow = null, IReadOnlyDictionary<string, string>? Labels = null, TimeSpan? Lease = null);

/// <summary>How executions are recovered.</summary>
/// <param name="Worker">1..256 bytes; shown to people.</param>
public sealed record RecoveryOptions(string Worker)
{
    /// <summary>Executions at a time.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>How long to wait before looking again where nothing can be claimed; null = end then.</summary>
    public TimeSpan? Poll { get; init; }

    /// <summary>Only of this workflow.</summary>
    public string? Workflow { get; init; }

    /// <summary>Only with all of these.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Told of what a handler threw, and of faults while claiming; null = nobody is.</summary>
    public Action<Exception>? OnError { get; init; }
}

/// <summary>What became of the executions that were claimed.</summary>
/// <remarks>
/// Left: the handler threw, and another attempt is due when the lease has run out; or somebody else has changed it.
/// Lost: the lease was lost while the handler ran.
/// </remarks>
public sealed record RecoveryReport(int Claimed, int Completed, int Failed, int Left, int Lost);

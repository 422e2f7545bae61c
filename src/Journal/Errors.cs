namespace Statehouse.Journal;

/// <summary>The codes of DESIGN's error table, one per way to fail. Their texts are <c>SH-nnnn</c> on every wire.</summary>
public enum ErrorCode
{
    Conflict = 1001,
    IdempotencyKeyReused = 1002,
    InvalidArgument = 1003,
    LimitExceeded = 1004,
    TransactionNotFound = 1005,
    TransactionExpired = 1006,
    NotFound = 1007,
    HistoryTrimmed = 1008,
    JournalUnavailable = 2001,
    OutcomeUnknown = 2002,
    Busy = 2003,
    InvariantBroken = 9001,
}

/// <summary>Who must act: the caller, the operator, or we.</summary>
public enum ErrorKind
{
    /// <summary>The caller can fix it. Nothing was written.</summary>
    Refusal,

    /// <summary>Something outside failed. The code says whether the outcome is known.</summary>
    Fault,

    /// <summary>Our bug, or damaged data: the agent stops serving and says so.</summary>
    BrokenInvariant,
}

public static class ErrorCodes
{
    public static string Text(this ErrorCode code) => $"SH-{(int)code}";

    public static ErrorKind Kind(this ErrorCode code) => (int)code switch
    {
        < 2000 => ErrorKind.Refusal,
        < 9000 => ErrorKind.Fault,
        _ => ErrorKind.BrokenInvariant,
    };
}

/// <summary>The base of everything that Statehouse says no with.</summary>
public abstract class StatehouseException(ErrorCode code, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public ErrorCode Code { get; } = code;

    /// <summary>Machine-readable particulars: the field, the limit, the value seen. Shown to callers, so never a secret.</summary>
    public IReadOnlyDictionary<string, string> Details { get; init; } = NoDetails;

    private static readonly IReadOnlyDictionary<string, string> NoDetails = new Dictionary<string, string>();
}

/// <summary>SH-1001. The journal has moved on from what the decision was made on. Nothing was written.</summary>
public sealed class StateConflictException(string message, Exception? inner = null)
    : StatehouseException(ErrorCode.Conflict, message, inner);

/// <summary>SH-1008. The commits asked for are no longer kept: trimmed, or removed with their agent.</summary>
public sealed class HistoryTrimmedException(string message)
    : StatehouseException(ErrorCode.HistoryTrimmed, message);

/// <summary>SH-2001. The journal cannot be reached or has no room. Nothing was written.</summary>
public sealed class JournalUnavailableException(string message, Exception? inner = null)
    : StatehouseException(ErrorCode.JournalUnavailable, message, inner);

/// <summary>SH-2002. The journal failed in mid-write: the commit is there whole, or not at all; reading tells which.</summary>
public sealed class JournalOutcomeUnknownException(string message, Exception? inner = null)
    : StatehouseException(ErrorCode.OutcomeUnknown, message, inner);

/// <summary>SH-2003. More is waiting than the bounds allow. Nothing was written; try again shortly.</summary>
public sealed class JournalBusyException(string message)
    : StatehouseException(ErrorCode.Busy, message);

/// <summary>SH-9001. What was read contradicts an invariant: damaged data or a bug of ours.</summary>
public sealed class InvariantBrokenException(string message, Exception? inner = null)
    : StatehouseException(ErrorCode.InvariantBroken, message, inner)
{
    /// <summary>
    /// Where a page of the feed cannot be read: the transaction that is damaged. Whoever can do without it goes on after
    /// it. null = it was not the feed that was read, or the place is not known.
    /// </summary>
    public CommitTs? FeedDamage { get; init; }
}

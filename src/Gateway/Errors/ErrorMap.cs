using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>What a front end says for one of our codes.</summary>
/// <param name="Code">Ours.</param>
/// <param name="HttpStatus">HTTP's.</param>
/// <param name="Title">The same for every occurrence (RFC 9457 section 3.1.3).</param>
/// <param name="RetryAfterSeconds">Value of Retry-After; null = waiting alone does not help.</param>
internal sealed record ErrorRow(ErrorCode Code, int HttpStatus, string Title, int? RetryAfterSeconds = null);

/// <summary>The one table from our codes to the wire. Each row has a page: <c>docs/errors/SH-nnnn.md</c>.</summary>
internal static class ErrorMap
{
    public static readonly IReadOnlyList<ErrorRow> Rows =
    [
        new(ErrorCode.Conflict, 409, "A precondition does not hold"),
        new(ErrorCode.IdempotencyKeyReused, 422, "The idempotency key was used with other content"),
        new(ErrorCode.InvalidArgument, 400, "An argument is not valid"),
        new(ErrorCode.LimitExceeded, 413, "A limit is exceeded"),
        new(ErrorCode.TransactionNotFound, 404, "The transaction is unknown or has ended"),
        new(ErrorCode.TransactionExpired, 410, "The transaction has expired"),
        new(ErrorCode.NotFound, 404, "Not found"),
        new(ErrorCode.HistoryTrimmed, 410, "That history was trimmed"),
        new(ErrorCode.JournalUnavailable, 503, "The journal is unavailable; nothing was written", RetryAfterSeconds: 1),
        new(ErrorCode.OutcomeUnknown, 503, "The journal failed in mid-write; the outcome is unknown"),
        new(ErrorCode.Busy, 429, "Too much is waiting; nothing was written", RetryAfterSeconds: 1),
        new(ErrorCode.InvariantBroken, 500, "An invariant is broken"),
    ];

    private static readonly Dictionary<ErrorCode, ErrorRow> ByCode = Rows.ToDictionary(row => row.Code);

    public static ErrorRow For(ErrorCode code) => ByCode[code];
}

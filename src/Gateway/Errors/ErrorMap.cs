using Statehouse.Journal;
using WireCode = Statehouse.V1.ErrorCode;

namespace Statehouse.Gateway;

/// <summary>What a front end says for one of our codes.</summary>
/// <param name="Code">Ours.</param>
/// <param name="HttpStatus">HTTP's.</param>
/// <param name="GrpcStatus">gRPC's.</param>
/// <param name="WireCode">The coarser code of a <c>StatehouseError</c> on gRPC; ours stands in its details.</param>
/// <param name="Title">The same for every occurrence (RFC 9457 section 3.1.3).</param>
/// <param name="RetryAfterSeconds">Value of Retry-After; null = waiting alone does not help.</param>
internal sealed record ErrorRow(
    ErrorCode Code, int HttpStatus, GrpcStatus GrpcStatus, WireCode WireCode, string Title, int? RetryAfterSeconds = null);

/// <summary>The one table from our codes to the wire. Each row has a page: <c>docs/errors/SH-nnnn.md</c>.</summary>
internal static class ErrorMap
{
    public static readonly IReadOnlyList<ErrorRow> Rows =
    [
        new(ErrorCode.Conflict, 409, GrpcStatus.Aborted, WireCode.InvalidRequest, "A precondition does not hold"),
        new(ErrorCode.IdempotencyKeyReused, 422, GrpcStatus.AlreadyExists, WireCode.InvalidRequest, "The idempotency key was used with other content"),
        new(ErrorCode.InvalidArgument, 400, GrpcStatus.InvalidArgument, WireCode.InvalidRequest, "An argument is not valid"),
        new(ErrorCode.LimitExceeded, 413, GrpcStatus.ResourceExhausted, WireCode.InvalidRequest, "A limit is exceeded"),
        new(ErrorCode.TransactionNotFound, 404, GrpcStatus.NotFound, WireCode.TxnNotFound, "The transaction is unknown or has ended"),
        new(ErrorCode.TransactionExpired, 410, GrpcStatus.DeadlineExceeded, WireCode.TxnExpired, "The transaction has expired"),
        new(ErrorCode.NotFound, 404, GrpcStatus.NotFound, WireCode.KeyNotFound, "Not found"),
        new(ErrorCode.HistoryTrimmed, 410, GrpcStatus.OutOfRange, WireCode.VersionNotFound, "That history was trimmed"),
        new(ErrorCode.JournalUnavailable, 503, GrpcStatus.Unavailable, WireCode.StorageError, "The journal is unavailable; nothing was written", RetryAfterSeconds: 1),
        new(ErrorCode.OutcomeUnknown, 503, GrpcStatus.Unknown, WireCode.StorageError, "The journal failed in mid-write; the outcome is unknown"),
        new(ErrorCode.Busy, 429, GrpcStatus.ResourceExhausted, WireCode.StorageError, "Too much is waiting; nothing was written", RetryAfterSeconds: 1),
        new(ErrorCode.InvariantBroken, 500, GrpcStatus.Internal, WireCode.InternalError, "An invariant is broken"),
    ];

    private static readonly Dictionary<ErrorCode, ErrorRow> ByCode = Rows.ToDictionary(row => row.Code);

    public static ErrorRow For(ErrorCode code) => ByCode[code];
}

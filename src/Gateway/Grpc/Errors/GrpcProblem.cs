using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>How a call ended, where it did not end well.</summary>
/// <param name="Status">The gRPC status.</param>
/// <param name="Code">Ours; null where the call was merely cut short (deadline, cancellation).</param>
/// <param name="Message">What happened, for a person.</param>
/// <param name="Details">The particulars, for a program.</param>
internal sealed record GrpcProblem(
    GrpcStatus Status, ErrorCode? Code, string Message, IReadOnlyDictionary<string, string> Details)
{
    private static readonly IReadOnlyDictionary<string, string> NoDetails = new Dictionary<string, string>();

    /// <summary>
    /// Our bug, or the outside's failure, as where HTTP answers 500 or more: something that an operator should read of. Callers
    /// that push too much are told to come back, and the log is not filled with them.
    /// </summary>
    public bool IsForTheOperator => Code is { } code ? ErrorMap.For(code).HttpStatus >= 500 : Status == GrpcStatus.Internal;

    public static GrpcProblem Of(Exception error, GrpcCall call) => error switch
    {
        GrpcRefusal refusal => new(refusal.Status, refusal.Code, refusal.Message, refusal.Details),
        StatehouseException known => new(ErrorMap.For(known.Code).GrpcStatus, known.Code, known.Message, known.Details),
        OperationCanceledException when call.IsOverdue =>
            new(GrpcStatus.DeadlineExceeded, null, "The call's deadline has passed. A commit that had begun may still come through.", NoDetails),
        OperationCanceledException when call.IsStopping => new(GrpcStatus.Unavailable, null, "The server is stopping.", NoDetails),
        // What Kestrel found wrong with the request's bytes, for instance that they came too slowly.
        BadHttpRequestException bad => new(GrpcStatus.Internal, ErrorCode.InvalidArgument, bad.Message, NoDetails),
        IOException or OperationCanceledException => new(GrpcStatus.Cancelled, null, "The request broke off.", NoDetails),
        _ => new(GrpcStatus.Internal, ErrorCode.InvariantBroken,
            "Something went wrong that should not. The server's log tells more under this request id.", NoDetails),
    };
}

using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>What the gRPC front end has to say to an operator.</summary>
internal sealed partial class GrpcLog(ILogger logger)
{
    public void CallFailed(GrpcCall call, GrpcProblem problem, Exception error) =>
        CallFailed(
            call.RequestId, call.Method?.Path ?? "none", problem.Status.Text(), problem.Code?.Text() ?? "none",
            call.Http.Connection.RemoteIpAddress?.ToString() ?? "unknown", error);

    [LoggerMessage(40, LogLevel.Error, "{Method} failed with {Status} {Code}. request_id={RequestId} caller={Caller}")]
    private partial void CallFailed(string requestId, string method, string status, string code, string caller, Exception error);
}

using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>What the gateway itself has to say to an operator: each message is made by the logging source generator.</summary>
internal sealed partial class GatewayLog(ILogger logger)
{
    public void RequestFailed(Call call, Problem problem, Exception error) =>
        RequestFailed(
            call.RequestId, call.Http.Request.Method, call.Route?.Template ?? "none", problem.Status, problem.Code.Text(),
            call.Http.Connection.RemoteIpAddress?.ToString() ?? "unknown", error);

    public void StreamFailed(Call call, Problem problem, Exception error) =>
        StreamFailed(call.RequestId, call.Route?.Template ?? "none", problem.Code.Text(), error);

    [LoggerMessage(1, LogLevel.Error, "{Method} {Route} failed with {Status} {Code}. request_id={RequestId} caller={Caller}")]
    private partial void RequestFailed(
        string requestId, string method, string route, int status, string code, string caller, Exception error);

    [LoggerMessage(2, LogLevel.Warning, "The event stream {Route} ended with {Code}. request_id={RequestId}")]
    private partial void StreamFailed(string requestId, string route, string code, Exception error);

    [LoggerMessage(3, LogLevel.Warning, "{Protocol} is bound to {Address}, which other machines may reach, and there is no authentication: keep it behind a proxy or firewall that has some.")]
    public partial void BoundBeyondLoopback(string protocol, string address);

    [LoggerMessage(4, LogLevel.Warning, "The environment variable {Name} is no setting of ours and was ignored.")]
    public partial void UnknownVariable(string name);

    [LoggerMessage(6, LogLevel.Information, "Listening on {Address}, gRPC on {GrpcAddress}, journal {Journal}.")]
    public partial void Started(string address, string grpcAddress, string journal);

    [LoggerMessage(7, LogLevel.Information, "Stopping: no new requests; those in flight have {Seconds} s.")]
    public partial void Stopping(double seconds);

    [LoggerMessage(8, LogLevel.Information, "Stopped; the journal is drained.")]
    public partial void Stopped();
}

/// <summary>Carries what the layers below say to the host's logger.</summary>
internal sealed class HostOperatorLog(ILogger logger) : IOperatorLog
{
    private static readonly Action<ILogger, string, Exception?>[] ByLevel =
    [
        LoggerMessage.Define<string>(LogLevel.Information, new EventId(20), "{Message}"),
        LoggerMessage.Define<string>(LogLevel.Warning, new EventId(21), "{Message}"),
        LoggerMessage.Define<string>(LogLevel.Error, new EventId(22), "{Message}"),
    ];

    public void Write(OperatorLogLevel level, string message, Exception? error = null) =>
        ByLevel[(int)level](logger, message, error);
}

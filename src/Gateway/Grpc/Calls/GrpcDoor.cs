using System.Collections.Frozen;
using Microsoft.AspNetCore.Http.Features;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>
/// The door of gRPC: every call passes here, whatever its method: bound on what is in flight, deadline, errors, final
/// status, metrics. It knows who calls what, as the <see cref="Door"/> of HTTP does.
/// </summary>
internal sealed class GrpcDoor(
    IEnumerable<GrpcMethod> methods, RequestLoad load, GrpcLog log, GrpcMetrics metrics, Limits limits, TimeSpan piecePatience,
    TimeProvider clock, CancellationToken stopping)
{
    private const string MediaType = "application/grpc";

    // RFC 9113 section 7.
    private const int Http2Cancel = 0x8;

    private readonly FrozenDictionary<string, GrpcMethod> _methods = methods.ToFrozenDictionary(method => method.Path);

    public async Task HandleAsync(HttpContext http)
    {
        long started = clock.GetTimestamp();
        bool mayEnter = load.Enter();
        using var call = new GrpcCall(http, load, limits.CommitBytesMax, piecePatience, clock, stopping);
        if (!IsGrpc(http))
            return;
        GrpcStatus status = GrpcStatus.Ok;
        try
        {
            call.Method = Find(http.Request.Path.Value);
            if (!mayEnter)
                throw load.TooMany();
            call.StartDeadline();
            await call.Method.HandleAsync(call);
            StatusTrailers.WriteOk(http.Response);
        }
        catch (Exception error)
        {
            status = Refuse(call, error);
        }
        metrics.Ended(call.Method, status, clock.GetElapsedTime(started));
    }

    /// <summary>Anything else is told so in HTTP's own words, as the protocol asks.</summary>
    private static bool IsGrpc(HttpContext http)
    {
        HttpResponse response = http.Response;
        if (!IsMediaType(http.Request.ContentType))
        {
            response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return false;
        }
        if (!HttpMethods.IsPost(http.Request.Method))
        {
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            response.Headers.Allow = HttpMethods.Post;
            return false;
        }
        response.ContentType = MediaType;
        response.Headers["grpc-accept-encoding"] = "identity";
        return true;
    }

    /// <summary><c>application/grpc</c> or <c>application/grpc+proto</c>, with parameters or without.</summary>
    private static bool IsMediaType(string? contentType)
    {
        ReadOnlySpan<char> type = contentType;
        int parameters = type.IndexOf(';');
        if (parameters >= 0)
            type = type[..parameters].TrimEnd();
        return type.Equals(MediaType, StringComparison.OrdinalIgnoreCase)
            || type.Equals(MediaType + "+proto", StringComparison.OrdinalIgnoreCase);
    }

    private GrpcMethod Find(string? path) =>
        path is not null && _methods.TryGetValue(path, out GrpcMethod? method)
            ? method
            : throw new GrpcRefusal(GrpcStatus.Unimplemented, ErrorCode.NotFound, $"There is no method {Query.Shown(path ?? "")} here.");

    private GrpcStatus Refuse(GrpcCall call, Exception error)
    {
        GrpcProblem problem = GrpcProblem.Of(error, call);
        // A client that has gone or cancelled is no error of anyone, and nobody is left to answer.
        if (call.HasGone)
            return GrpcStatus.Cancelled;
        if (problem.IsForTheOperator && error is not ServerStoppingException)
            log.CallFailed(call, problem, error);
        if (call.Replies.IsBlocked)
            call.Http.Features.GetRequiredFeature<IHttpResetFeature>().Reset(Http2Cancel);
        else
            StatusTrailers.Write(call.Http.Response, problem, call.RequestId);
        return problem.Status;
    }
}

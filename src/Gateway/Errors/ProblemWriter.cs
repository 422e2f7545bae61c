using Microsoft.AspNetCore.Connections;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Answers a call that failed, whatever with.</summary>
internal sealed class ProblemWriter(GatewayLog log, GatewayMetrics metrics)
{
    /// <summary>Answers with problem+json; a reply that has started is cut off, so that it cannot pass for a whole one.</summary>
    public async ValueTask WriteAsync(Call call, Exception error)
    {
        if (HasGone(call, error))
            return;
        Problem problem = ProblemOf(error);
        metrics.Refused(problem.Code);
        if (problem.Status >= 500 && error is not ServerStoppingException)
            log.RequestFailed(call, problem, error);
        HttpResponse response = call.Http.Response;
        if (response.HasStarted)
        {
            call.Http.Abort();
            return;
        }
        SetHeaders(response, problem, error);
        call.Json.Clear();
        ProblemJson.Write(call.Json, problem, call.RequestId);
        await call.ReplyAsync(problem.Status, ProblemJson.MediaType);
    }

    internal static Problem ProblemOf(Exception error) => error switch
    {
        HttpRefusal refusal => new Problem(refusal.Status, refusal.Code, refusal.Message, refusal.Details),
        StatehouseException known => new Problem(ErrorMap.For(known.Code).HttpStatus, known.Code, known.Message, known.Details),
        BadHttpRequestException bad => new Problem(bad.StatusCode, ErrorCode.InvalidArgument, bad.Message, NoDetails),
        _ => new Problem(
            500, ErrorCode.InvariantBroken, "Something went wrong that should not. The server's log tells more under this request id.", NoDetails),
    };

    private static readonly IReadOnlyDictionary<string, string> NoDetails = new Dictionary<string, string>();

    /// <summary>A client that hangs up is no error of anyone; there is nobody left to answer.</summary>
    private static bool HasGone(Call call, Exception error) =>
        error is OperationCanceledException or ConnectionResetException or ConnectionAbortedException or IOException and not BadHttpRequestException
        && call.Gone.IsCancellationRequested;

    private static void SetHeaders(HttpResponse response, Problem problem, Exception error)
    {
        response.Headers.ETag = default;
        if (ErrorMap.For(problem.Code).RetryAfterSeconds is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (error is HttpRefusal { Allow: { } allow })
            response.Headers.Allow = allow;
        // The rest of the body was not read, or its end cannot be told: close, rather than swallow it to keep the connection.
        if (problem.Status is 413 or 415 or 408 || error is BadHttpRequestException)
            response.Headers.Connection = "close";
    }
}

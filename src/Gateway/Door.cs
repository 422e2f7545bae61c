using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>
/// The one place that every request passes, whatever its route: request id, bound on what is in flight, drain, errors,
/// metrics. It knows who calls what (caller, namespace, action, size), so keys and quotas will live here.
/// </summary>
internal sealed class Door(
    RouteTable routes, RequestLoad load, DrainGate drain, ProblemWriter problems, GatewayMetrics metrics, Limits limits, TimeProvider clock)
{
    public async Task HandleAsync(HttpContext http)
    {
        long started = clock.GetTimestamp();
        string requestId = RequestIds.For(http);
        http.Response.Headers[RequestIds.Header] = requestId;
        bool mayEnter = load.Enter();
        using var call = new Call(http, load, requestId, limits);
        try
        {
            call.FindRoute(routes);
            if (!mayEnter)
                throw load.TooMany();
            bool outlasts = call.Route!.OutlastsDrain;
            if (!outlasts)
                EnterDrain(call);
            try
            {
                await call.Route.Handle(call);
            }
            finally
            {
                if (!outlasts)
                    drain.Leave();
            }
        }
        catch (Exception error)
        {
            await problems.WriteAsync(call, error);
        }
        metrics.Answered(call.Route, http.Response.StatusCode, clock.GetElapsedTime(started));
    }

    private void EnterDrain(Call call)
    {
        if (drain.TryEnter())
            return;
        call.Http.Response.Headers.Connection = "close";
        throw new ServerStoppingException();
    }
}

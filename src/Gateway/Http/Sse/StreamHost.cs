using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>What both event streams share: they end when the client goes and when the server stops, and say why they fail.</summary>
internal sealed class StreamHost(GatewayLog log, GatewayMetrics metrics, TimeSpan heartbeat, TimeProvider clock, CancellationToken stopping)
{
    /// <summary>Turns the call into a stream and runs <paramref name="send"/> until it ends or is cancelled.</summary>
    public async ValueTask RunAsync(Call call, Func<EventStream, JsonBuffer, CancellationToken, Task> send)
    {
        call.BecomeStream();
        using var data = new JsonBuffer();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(call.Gone, stopping);
        EventStream stream = await EventStream.StartAsync(call, data, heartbeat, clock);
        try
        {
            await send(stream, data, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The usual end of a stream that follows: the client has gone, or the server stops.
        }
        catch (StatehouseException error)
        {
            Problem problem = ProblemWriter.ProblemOf(error);
            metrics.Refused(problem.Code);
            log.StreamFailed(call, problem, error);
            await stream.FailAsync(problem, call.Gone);
        }
    }
}

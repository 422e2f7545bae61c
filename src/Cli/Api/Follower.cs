using System.Runtime.CompilerServices;

namespace Statehouse.Cli;

/// <summary>
/// Follows an event stream for as long as the command runs: after a break it reconnects with the id of the last event
/// seen, so that nothing is missed or shown twice.
/// </summary>
/// <param name="session">The server, and where notices go.</param>
/// <param name="path">The stream.</param>
/// <param name="retryBound">How long a server may stay away before the command gives up.</param>
/// <param name="clock">Waits between attempts.</param>
internal sealed class Follower(Session session, string path, TimeSpan retryBound, TimeProvider clock)
{
    private static readonly TimeSpan DelayMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(5);

    private string? _lastEventId;
    private TimeSpan _delay = DelayMin;

    /// <summary>The data of each event. Ends only by cancellation or failure.</summary>
    /// <exception cref="CommandFailure">Refused, or the server was away for too long; at first contact, at all.</exception>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> EventsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HttpResponseMessage? response = await session.Api.OpenEventsAsync(path, null, cancellationToken);
        while (true)
        {
            using (response)
            {
                await using IAsyncEnumerator<ServerEvent> events = await ReadAsync(response, cancellationToken);
                while (await NextAsync(events))
                {
                    yield return events.Current.Data;
                    _lastEventId = events.Current.Id;
                }
            }
            response = await ReconnectAsync(cancellationToken);
        }
    }

    private async Task<IAsyncEnumerator<ServerEvent>> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        Stream body = await session.Api.BodyAsync(response, cancellationToken);
        return new EventReader(body).EventsAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
    }

    /// <returns>False where the stream is over: the server stopped or broke it off.</returns>
    private async Task<bool> NextAsync(IAsyncEnumerator<ServerEvent> events)
    {
        try
        {
            if (!await events.MoveNextAsync())
                return false;
            if (events.Current.Type == "error")
                throw session.Api.ParseProblem(0, events.Current.Data.ToArray());
        }
        catch (UnreachableFailure failure)
        {
            session.Terminal.Note($"{failure.Message}; reconnecting");
            return false;
        }
        catch (ServerProblem problem) when (problem.MayPassLater)
        {
            session.Terminal.Note($"{problem.Message}; reconnecting");
            return false;
        }
        _delay = DelayMin;
        return true;
    }

    /// <summary>Tries again with growing pauses; only an event makes them short again, so that a server which drops every
    /// stream at once is not hammered.</summary>
    private async Task<HttpResponseMessage> ReconnectAsync(CancellationToken cancellationToken)
    {
        long awaySince = clock.GetTimestamp();
        while (true)
        {
            await Task.Delay(_delay, clock, cancellationToken);
            _delay = _delay * 2 < DelayMax ? _delay * 2 : DelayMax;
            try
            {
                return await session.Api.OpenEventsAsync(path, _lastEventId, cancellationToken);
            }
            catch (CommandFailure failure) when (failure is UnreachableFailure or ServerProblem { MayPassLater: true })
            {
                if (clock.GetElapsedTime(awaySince) > retryBound)
                    throw new UnreachableFailure($"gave up after {retryBound.TotalSeconds:0} s: {failure.Message}", failure);
            }
        }
    }
}

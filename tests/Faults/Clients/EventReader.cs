using System.Text;
using System.Text.Json;

namespace Statehouse.Faults.Clients;

/// <summary>Server-sent events of one reply, as far as the API makes use of them.</summary>
/// <param name="response">Stays the caller's to dispose.</param>
/// <param name="heard">Told of each line, also of heartbeats.</param>
internal sealed class EventReader(HttpResponseMessage response, Action heard) : IDisposable
{
    private StreamReader? _lines;

    /// <summary>Why there is no next event; null where the stream came to its end.</summary>
    public CallFailure? Failure { get; private set; }

    /// <summary>The next event of this name.</summary>
    /// <param name="name">Of the event.</param>
    /// <param name="read">Makes something of its id, null where it has none, and its data.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    /// <returns>Null where the stream has ended, broke off, was cancelled, or another event came, which says why it cannot go on.</returns>
    public async Task<T?> NextAsync<T>(string name, Func<string?, JsonElement, T> read, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            _lines ??= new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
            if (await ReadAsync(cancellationToken) is not { } @event)
                return null;
            using JsonDocument data = JsonDocument.Parse(@event.Data);
            if (@event.Name == name)
                return read(@event.Id, data.RootElement);
            Failure = HttpReply.FailureOf((int)response.StatusCode, data.RootElement);
            return null;
        }
        catch (Exception error) when (CallFailure.IsBrokenReply(error))
        {
            Failure = CallFailure.OfBrokenReply(error);
            return null;
        }
        catch (Exception error) when (CallFailure.IsTransport(error))
        {
            Failure = CallFailure.OfTransport(error, wasSent: true);
            return null;
        }
    }

    public void Dispose() => _lines?.Dispose();

    private async Task<(string? Name, string? Id, string Data)?> ReadAsync(CancellationToken cancellationToken)
    {
        string? seenName = null;
        string? data = null;
        string? id = null;
        while (await _lines!.ReadLineAsync(cancellationToken) is { } line)
        {
            heard();
            if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line["id: ".Length..];
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                seenName = line["event: ".Length..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data = line["data: ".Length..];
            // An event counts once its empty line has come: what broke off in it is no event.
            else if (line.Length == 0 && data is not null)
                return (seenName, id, data);
        }
        return null;
    }
}

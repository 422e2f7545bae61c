using System.Text;

namespace Statehouse.Faults.Clients;

/// <summary>Server-sent events of one reply, as far as the API makes use of them.</summary>
/// <param name="response">Stays the caller's to dispose.</param>
/// <param name="heard">Told of each line, also of heartbeats.</param>
internal sealed class EventReader(HttpResponseMessage response, Action heard) : IDisposable
{
    private StreamReader? _lines;

    /// <summary>The id of the event that came last; null = it had none, or none came.</summary>
    public string? Id { get; private set; }

    /// <summary>The data of the next event of this name.</summary>
    /// <returns>Null where the stream has ended, broke off, was cancelled, or another event came, which says why it cannot go on.</returns>
    public async Task<string?> NextAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            _lines ??= new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
            return await ReadAsync(name, cancellationToken);
        }
        catch (Exception error) when (CallFailure.IsTransport(error))
        {
            return null;
        }
    }

    public void Dispose() => _lines?.Dispose();

    private async Task<string?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        string? seenName = null;
        string? data = null;
        Id = null;
        while (await _lines!.ReadLineAsync(cancellationToken) is { } line)
        {
            heard();
            if (line.StartsWith("id: ", StringComparison.Ordinal))
                Id = line["id: ".Length..];
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                seenName = line["event: ".Length..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data = line["data: ".Length..];
            // An event counts once its empty line has come: what broke off in it is no event.
            else if (line.Length == 0 && data is not null)
                return seenName == name ? data : null;
        }
        return null;
    }
}

using System.Text;
using System.Text.Json;

namespace Statehouse.Gateway.Tests.Hosting;

/// <param name="Id">null where the event has none.</param>
/// <param name="Type">For instance <c>commit</c>.</param>
/// <param name="Data">Its data lines, joined by line breaks.</param>
internal sealed record ServerEvent(string? Id, string Type, string Data)
{
    public JsonElement Json => JsonDocument.Parse(Data).RootElement;
}

/// <summary>Reads server-sent events as the WHATWG standard says; each wait is bounded.</summary>
internal sealed class EventReader : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private EventReader(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _lines = new StreamReader(body, Encoding.UTF8);
    }

    /// <summary>Comment lines met so far.</summary>
    public int Comments { get; private set; }

    public static async Task<EventReader> OpenAsync(HttpResponseMessage response)
    {
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new EventReader(response, await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    /// <returns>null at the end of the stream.</returns>
    /// <exception cref="TimeoutException">Nothing came within the bound.</exception>
    public async Task<ServerEvent?> ReadAsync()
    {
        string? id = null;
        string type = "message";
        var data = new List<string>();
        while (await LineAsync() is { } line)
        {
            if (line.Length == 0 && data.Count > 0)
                return new ServerEvent(id, type, string.Join('\n', data));
            if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line[4..];
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                type = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data.Add(line[6..]);
        }
        Assert.Empty(data);
        return null;
    }

    public async Task<ServerEvent> ReadCommitAsync()
    {
        ServerEvent? read = await ReadAsync();
        Assert.NotNull(read);
        Assert.Equal("commit", read.Type);
        return read;
    }

    public async Task<List<ServerEvent>> ReadCommitsAsync(int count)
    {
        var events = new List<ServerEvent>();
        while (events.Count < count)
            events.Add(await ReadCommitAsync());
        return events;
    }

    /// <summary>Waits for comments, passing over what else comes.</summary>
    public async Task WaitForCommentsAsync(int count)
    {
        while (Comments < count && await LineAsync() is not null)
        {
        }
        Assert.Equal(count, Comments);
    }

    public ValueTask DisposeAsync()
    {
        _response.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<string?> LineAsync()
    {
        string? line = await _lines.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Bound, TestContext.Current.CancellationToken);
        if (line is not null && line.StartsWith(':'))
            Comments++;
        return line;
    }
}


namespace Statehouse.Gateway;

/// <summary>
/// Writes server-sent events (WHATWG HTML section 9.2). Gathers until <see cref="FlushAsync"/>, which waits where the
/// client reads slowly: back-pressure ends at whoever reads the journal, never in memory.
/// </summary>
internal sealed class EventStream(Call call, JsonBuffer data, TimeSpan heartbeat, TimeProvider clock)
{
    private const int BytesHeldMax = 64 * 1024;

    /// <summary>Sends the headers, so that a client knows that it is connected before there is anything to see.</summary>
    public static async ValueTask<EventStream> StartAsync(Call call, JsonBuffer data, TimeSpan heartbeat, TimeProvider clock)
    {
        HttpResponse response = call.Http.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        call.Json.Clear();
        await response.StartAsync(call.Gone);
        var stream = new EventStream(call, data, heartbeat, clock);
        await stream.HeartbeatAsync(call.Gone);
        return stream;
    }

    /// <summary>One event, from the JSON in the data buffer, which is empty afterwards.</summary>
    public async ValueTask WriteAsync(string id, CancellationToken cancellationToken)
    {
        call.Json.Raw("id: "u8).Raw(System.Text.Encoding.ASCII.GetBytes(id)).Raw("\nevent: commit\n"u8);
        Data();
        if (call.Json.Length >= BytesHeldMax)
            await FlushAsync(cancellationToken);
    }

    /// <summary>The last event of a stream that cannot go on: the same problem that a plain reply would have been.</summary>
    public async ValueTask FailAsync(Problem problem, CancellationToken cancellationToken)
    {
        data.Clear();
        ProblemJson.Write(data, problem, call.RequestId);
        call.Json.Raw("event: error\n"u8);
        Data();
        await FlushAsync(cancellationToken);
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (call.Json.Length == 0)
            return;
        await call.Http.Response.BodyWriter.WriteAsync(call.Json.Written, cancellationToken);
        call.Json.Clear();
    }

    /// <summary>Waits for what comes next, with a comment on the wire whenever it takes long.</summary>
    public async ValueTask<T> AwaitAsync<T>(ValueTask<T> next, CancellationToken cancellationToken)
    {
        if (next.IsCompleted)
            return await next;
        Task<T> pending = next.AsTask();
        try
        {
            await FlushAsync(cancellationToken);
            return await BeatWhilePendingAsync(pending, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The source is being cancelled too; it must not be disposed before its step has ended.
            await ((Task)pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    private async Task<T> BeatWhilePendingAsync<T>(Task<T> pending, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await pending.WaitAsync(heartbeat, clock, CancellationToken.None);
            }
            catch (TimeoutException) when (!pending.IsFaulted)
            {
                if (!pending.IsCompleted)
                    await HeartbeatAsync(cancellationToken);
            }
        }
    }

    private async ValueTask HeartbeatAsync(CancellationToken cancellationToken)
    {
        call.Json.Raw(": heartbeat\n\n"u8);
        await FlushAsync(cancellationToken);
    }

    /// <summary>A value may hold line breaks between its tokens; each line of it becomes a data line.</summary>
    private void Data()
    {
        ReadOnlySpan<byte> rest = data.Written.Span;
        while (true)
        {
            int end = rest.IndexOfAny((byte)'\n', (byte)'\r');
            call.Json.Raw("data: "u8).Raw(end < 0 ? rest : rest[..end]).Raw("\n"u8);
            if (end < 0)
                break;
            bool isPair = rest[end] == '\r' && end + 1 < rest.Length && rest[end + 1] == '\n';
            rest = rest[(end + (isPair ? 2 : 1))..];
        }
        call.Json.Raw("\n"u8);
        data.Clear();
    }
}

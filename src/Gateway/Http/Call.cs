using Microsoft.AspNetCore.Http.Features;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>One request on its way through a route: the <see cref="Door"/> makes it, hands it in, and disposes it.</summary>
internal sealed class Call(HttpContext http, RequestLoad load, string requestId, Limits limits) : IDisposable
{
    /// <summary>A reply beyond this leaves in pieces, so that a page of large values is not held twice.</summary>
    private const int ReplyBytesHeldMax = 64 * 1024;

    private readonly RawTarget _target = new(http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
    private Query _query;
    private bool _isStream;

    public HttpContext Http { get; } = http;

    public string RequestId { get; } = requestId;

    /// <summary>Null until the door has found it.</summary>
    public ApiRoute? Route { get; private set; }

    public ref readonly Query Query => ref _query;

    /// <summary>The reply's body is made here.</summary>
    public JsonBuffer Json { get; } = new();

    /// <summary>Cancelled when the client has gone.</summary>
    public CancellationToken Gone => Http.RequestAborted;

    public bool WantsEventStream
    {
        get
        {
            if (Http.Request.Method != "GET")
                return false;
            foreach (string? accept in Http.Request.Headers.Accept)
            {
                if (accept is not null && accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase))
                    return true;
            }
            return false;
        }
    }

    /// <exception cref="HttpRefusal">404 or 405.</exception>
    /// <exception cref="RefusedException">SH-1003: the query string.</exception>
    public void FindRoute(RouteTable routes)
    {
        Span<Range> segments = stackalloc Range[RawTarget.SegmentsMax];
        int count = _target.Split(segments);
        Route = routes.Find(Http.Request.Method, _target.Path, segments[..count]);
        _query = Query.Parse(_target.QueryText, Route.Query, Route.Repeatable);
    }

    /// <summary>The agent that the path names; checked by <see cref="IAgents.Get"/>.</summary>
    public AgentId Agent() => new(Text("ns", "namespace"), Text("agent", "agent"));

    /// <summary>The key that the path names, not checked beyond its encoding.</summary>
    public Key Key() => new(PercentText.Decode("key", Segment("key")));

    /// <param name="placeholder">As in the route's template.</param>
    /// <param name="field">What a refusal calls it.</param>
    public string Text(string placeholder, string field) => PercentText.DecodeText(field, Segment(placeholder));

    /// <summary>The whole body; the caller disposes it.</summary>
    /// <exception cref="HttpRefusal">415: not JSON.</exception>
    /// <exception cref="RefusedException">SH-1004.</exception>
    /// <exception cref="JournalBusyException">SH-2003: all bodies together are too large.</exception>
    public async ValueTask<RequestBody> ReadBodyAsync()
    {
        ContentTypes.MustNotBeAForeignForm(Http.Request);
        return await RequestBody.ReadAsync(Http.Request, load, limits.CommitBytesMax, Gone);
    }

    /// <summary>For methods whose body would mean nothing: rather refused than dropped in silence.</summary>
    /// <exception cref="RefusedException">SH-1003.</exception>
    public async ValueTask ExpectNoBodyAsync()
    {
        if (Http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
            return;
        using RequestBody body = await RequestBody.ReadAsync(Http.Request, load, limits.CommitBytesMax, Gone);
        if (!body.Utf8.IsEmpty)
            throw RefusedException.Invalid("body", "empty", "not");
    }

    /// <summary>Says that an earlier commit answered and nothing was written (I6).</summary>
    public void MarkReplayed(bool replayed)
    {
        if (replayed)
            Http.Response.Headers["Idempotent-Replayed"] = "true";
    }

    /// <summary>Sends <see cref="Json"/>, or what is left of it, as the end of the reply.</summary>
    public async ValueTask ReplyAsync(int status = 200, string mediaType = "application/json")
    {
        HttpResponse response = Http.Response;
        if (!response.HasStarted)
        {
            response.StatusCode = status;
            response.ContentType = mediaType;
            response.ContentLength = Json.Length;
        }
        await response.BodyWriter.WriteAsync(Json.Written);
    }

    /// <summary>Between items of a page: sends what has gathered once it is much.</summary>
    public async ValueTask SendIfMuchAsync()
    {
        if (Json.Length < ReplyBytesHeldMax)
            return;
        if (!Http.Response.HasStarted)
            Http.Response.ContentType = "application/json";
        await Http.Response.BodyWriter.WriteAsync(Json.Written, Gone);
        Json.Clear();
    }

    /// <summary>From here on this call counts as a stream, not as a request in flight.</summary>
    /// <exception cref="JournalBusyException">SH-2003: too many streams are open.</exception>
    public void BecomeStream()
    {
        load.RequestBecomesStream();
        _isStream = true;
    }

    public void Dispose()
    {
        load.Leave(_isStream);
        Json.Dispose();
    }

    private ReadOnlySpan<char> Segment(string placeholder) => _target.Segment(Array.IndexOf(Route!.Placeholders, placeholder));
}

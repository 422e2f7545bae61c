using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Clients;

/// <summary>A client of HTTP v1 with connections of its own. Every request that writes leaves once.</summary>
/// <param name="address">For instance <c>127.0.0.1:8080</c>.</param>
/// <param name="isShared">Whether several processes may serve one agent: reads that are to be strong then ask for it.</param>
public sealed class HttpStoreClient(string address, bool isShared = false) : IStoreClient, IFeedClient
{
    /// <summary>A stream has a heartbeat every 15 s; one that is silent for longer is broken.</summary>
    private static readonly TimeSpan SilenceBound = TimeSpan.FromSeconds(25);

    private readonly HttpExchange _http = new(address);

    public string Protocol => "http";

    public bool HasConditions => true;

    public FollowFailure? LastFollow { get; private set; }

    public async Task<CallResult> CallAsync(Call call, CancellationToken cancellationToken)
    {
        try
        {
            return await MakeAsync(call, cancellationToken);
        }
        catch (Exception error) when (CallFailure.IsBrokenReply(error))
        {
            return CallFailure.OfBrokenReply(error).ToResult();
        }
    }

    private Task<CallResult> MakeAsync(Call call, CancellationToken cancellationToken) => call switch
    {
        ReadCall read => ReadAsync(read, cancellationToken),
        ScanCall scan => ScanAsync(scan, cancellationToken),
        CommitCall commit => CommitAsync(commit, cancellationToken),
        TransactionCall transaction => new HttpTransaction(_http).RunAsync(transaction, cancellationToken),
        _ => throw new NotSupportedException(call.GetType().Name),
    };

    public async IAsyncEnumerable<FollowedCommit> FollowAsync(
        AgentName agent, long afterVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (FollowedCommit commit in EventsAsync($"{Path(agent)}/commits?from={afterVersion + 1}", Followed, cancellationToken))
            yield return commit;
    }

    public async Task<FeedReply> ReadFeedAsync(string after, int limit, CancellationToken cancellationToken)
    {
        HttpReply page = await _http.GetAsync($"/v1/feed?after={after}&limit={limit}", cancellationToken);
        if (!page.IsOk)
            return new FeedReply([], null, false, page.Failure.Code);
        bool hasMore = page.Json.TryGetProperty("next", out JsonElement next);
        string through = hasMore ? next.GetString()! : HttpAnswers.Number(page.Json, "through").ToString(CultureInfo.InvariantCulture);
        return new FeedReply([.. page.Json.GetProperty("items").EnumerateArray().Select(HttpAnswers.FeedEntry)], through, hasMore, null);
    }

    public async IAsyncEnumerable<(string Position, FeedEntry Entry)> FollowFeedAsync(
        string after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (FeedEvent seen in EventsAsync($"/v1/feed?after={after}", FeedEvent.Of, cancellationToken))
            yield return (seen.Position, seen.Entry);
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    internal static string Path(AgentName agent) =>
        $"/v1/namespaces/{HttpExchange.Escaped(agent.Namespace)}/agents/{HttpExchange.Escaped(agent.Id)}";

    private async Task<CallResult> ReadAsync(ReadCall call, CancellationToken cancellationToken)
    {
        string query = At(call.AtVersion, call.IsStrong);
        HttpReply reply = await _http.GetAsync(
            $"{Path(call.Agent)}/state/{HttpExchange.Escaped(call.Key)}{(query.Length == 0 ? "" : "?" + query)}", cancellationToken);
        return HttpAnswers.TryRead(reply, out ReadAnswer answer) ? new CallResult(Outcome.Ok, answer) : reply.Failure!.ToResult();
    }

    private async Task<CallResult> ScanAsync(ScanCall call, CancellationToken cancellationToken)
    {
        var items = new List<ScannedKey>();
        string at = At(call.AtVersion, call.IsStrong);
        string after = "";
        while (true)
        {
            string query = string.Join('&', new[] { "limit=1000", $"prefix={HttpExchange.Escaped(call.Prefix)}", at, after }.Where(part => part.Length > 0));
            HttpReply page = await _http.GetAsync($"{Path(call.Agent)}/state?{query}", cancellationToken);
            if (!page.IsOk)
                return page.Failure.ToResult();
            items.AddRange(HttpAnswers.Items(page.Json));
            long version = HttpAnswers.Number(page.Json, "agent_version");
            if (!page.Json.TryGetProperty("next", out JsonElement next))
                return new CallResult(Outcome.Ok, new ScanAnswer(version, items));
            // All pages are of the version that the first one was of.
            at = $"at_version={version}";
            after = $"after={HttpExchange.Escaped(next.GetString()!)}";
        }
    }

    private async Task<CallResult> CommitAsync(CommitCall call, CancellationToken cancellationToken)
    {
        if (call.Shares is [Share only])
        {
            HttpReply one = await _http.PostAsync($"{Path(only.Agent)}/commits", HttpBodies.Commit(only, call.IdempotencyKey), cancellationToken);
            return one.IsOk ? Committed([HttpAnswers.Receipt(one.Json, only.Agent, one.IsReplayed)]) : one.Failure.ToResult();
        }
        HttpReply reply = await _http.PostAsync("/v1/commits", HttpBodies.Commits(call.Shares, call.IdempotencyKey), cancellationToken);
        return reply.IsOk ? Committed(HttpAnswers.Receipts(reply.Json, call.Shares, reply.IsReplayed)) : reply.Failure.ToResult();
    }

    private static CallResult Committed(IReadOnlyList<Receipt> receipts) => new(Outcome.Ok, new CommitAnswer(receipts));

    private string At(long? version, bool isStrong)
    {
        if (version is { } past)
            return $"at_version={past}";
        return isStrong && isShared ? "consistency=strong" : "";
    }

    private static FollowedCommit Followed(string? id, JsonElement commit) =>
        new(HttpAnswers.Number(commit, "version"), HttpAnswers.Number(commit, "commit_ts"), HttpAnswers.Text(commit, "hash"));

    /// <summary>The commits of a stream until it is cancelled, ends or falls silent; <see cref="LastFollow"/> then says why.</summary>
    private async IAsyncEnumerable<T> EventsAsync<T>(
        string target, Func<string?, JsonElement, T> read, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(SilenceBound);
        (HttpResponseMessage? response, CallFailure? failure) = await OpenAsync(target, silence.Token);
        if (response is not null)
        {
            using HttpResponseMessage opened = response;
            using var events = new EventReader(opened, () => silence.CancelAfter(SilenceBound));
            while (await events.NextAsync("commit", read, silence.Token) is { } commit)
                yield return commit;
            failure = events.Failure;
        }
        LastFollow = cancellationToken.IsCancellationRequested ? null : failure?.ToFollow();
    }

    private async Task<(HttpResponseMessage? Response, CallFailure? Failure)> OpenAsync(string target, CancellationToken cancellationToken)
    {
        try
        {
            HttpResponseMessage response = await _http.StreamAsync(target, cancellationToken);
            if (response.StatusCode == HttpStatusCode.OK)
                return (response, null);
            using (response)
                return (null, HttpReply.Of((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellationToken), isReplayed: false).Failure);
        }
        catch (Exception error) when (CallFailure.IsTransport(error))
        {
            return (null, CallFailure.OfTransport(error, wasSent: true));
        }
    }

    /// <summary>A commit of the feed, with the position to go on behind it.</summary>
    private sealed record FeedEvent(string Position, FeedEntry Entry)
    {
        public static FeedEvent Of(string? id, JsonElement item) =>
            new(id ?? throw new InvalidDataException("An event of the feed has no id."), HttpAnswers.FeedEntry(item));
    }
}

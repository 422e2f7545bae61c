using System.Text.Json;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;
using Statehouse.Faults.Systems;

namespace Statehouse.Faults.Evidence;

/// <summary>Reads what a run left over HTTP v1, page by page, from one healthy server.</summary>
/// <param name="address">For instance <c>127.0.0.1:8080</c>; asked for at each reading.</param>
/// <param name="isShared">Whether states must be asked for with <c>consistency=strong</c>.</param>
public sealed class HttpEvidenceReader(Func<string> address, bool isShared = false) : IEvidenceReader
{
    private const int AgentsAtOnce = 4;
    private static readonly TimeSpan RequestBound = TimeSpan.FromSeconds(30);

    /// <exception cref="EvidenceException">The server did not answer what it must: with everything healed there is no excuse.</exception>
    public async Task<RunEvidence> ReadAsync(Recorder recorder, IEnumerable<AgentName> agents, CancellationToken cancellationToken)
    {
        using var http = new HttpExchange(address());
        await using var client = new HttpStoreClient(address(), isShared);
        AgentName[] all = [.. agents.Distinct()];
        var journals = new AgentJournal[all.Length];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AgentsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, all.Length, parallel, async (i, token) => journals[i] = await ReadAgentAsync(http, client, all[i], token));
        IReadOnlyList<FeedEntry> feed = await ReadFeedAsync(http, cancellationToken);
        return new RunEvidence(recorder.Calls, recorder.Seen, journals.ToDictionary(journal => journal.Agent), feed) { FeedSeen = recorder.FeedSeen };
    }

    private static async Task<AgentJournal> ReadAgentAsync(HttpExchange http, HttpStoreClient client, AgentName agent, CancellationToken cancellationToken)
    {
        string path = HttpStoreClient.Path(agent);
        HttpReply head = await GetAsync(http, path, mayBeMissing: true, cancellationToken);
        List<JournaledCommit> commits = head.IsOk ? await ReadCommitsAsync(http, path, cancellationToken) : [];
        CallResult state = await client.CallAsync(new ScanCall(agent), cancellationToken);
        if (state.Answer is not ScanAnswer scan)
            throw new EvidenceException($"The state of {agent} was not answered: {state.Code} {state.Detail}");
        return new AgentJournal(agent, commits, scan, head.IsOk ? HttpAnswers.Text(head.Json, "hash") : "");
    }

    private static async Task<List<JournaledCommit>> ReadCommitsAsync(HttpExchange http, string path, CancellationToken cancellationToken)
    {
        var commits = new List<JournaledCommit>();
        long? from = 1;
        while (from is not null)
        {
            JsonElement page = (await GetAsync(http, $"{path}/commits?limit=1000&from={from}", mayBeMissing: false, cancellationToken)).Json;
            commits.AddRange(page.GetProperty("items").EnumerateArray().Select(Commit));
            from = Next(page);
        }
        return commits;
    }

    private static async Task<IReadOnlyList<FeedEntry>> ReadFeedAsync(HttpExchange http, CancellationToken cancellationToken)
    {
        var feed = new List<FeedEntry>();
        long? after = 0;
        while (after is not null)
        {
            JsonElement page = (await GetAsync(http, $"/v1/feed?limit=1000&after={after}", mayBeMissing: false, cancellationToken)).Json;
            feed.AddRange(page.GetProperty("items").EnumerateArray().Select(HttpAnswers.FeedEntry));
            after = Next(page);
        }
        return feed;
    }

    /// <summary>A cursor, as a number or a text.</summary>
    private static long? Next(JsonElement page)
    {
        if (!page.TryGetProperty("next", out JsonElement next))
            return null;
        return next.ValueKind == JsonValueKind.String ? long.Parse(next.GetString()!, System.Globalization.CultureInfo.InvariantCulture) : next.GetInt64();
    }

    private static JournaledCommit Commit(JsonElement commit)
    {
        // No member before "operations" holds a text that a caller chose, so its first mention is the member itself.
        string raw = commit.GetRawText();
        string body = string.Concat("{", raw.AsSpan(raw.IndexOf("\"operations\":", StringComparison.Ordinal)));
        return new JournaledCommit(
            HttpAnswers.Number(commit, "version"),
            HttpAnswers.Number(commit, "commit_ts"),
            HttpAnswers.Text(commit, "time"),
            HttpAnswers.Text(commit, "txn_id"),
            HttpAnswers.Text(commit, "hash"),
            body,
            [.. commit.GetProperty("operations").EnumerateArray().Select(Operation)],
            commit.TryGetProperty("idempotency_key", out JsonElement key) ? key.GetString() : null);
    }

    private static JournaledOperation Operation(JsonElement operation) => new(
        HttpAnswers.Text(operation, "key"),
        HttpAnswers.Text(operation, "op") == "put" ? operation.GetProperty("value").GetRawText() : null,
        HttpAnswers.Number(operation, "version"));

    private static async Task<HttpReply> GetAsync(HttpExchange http, string target, bool mayBeMissing, CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(RequestBound);
        HttpReply reply = await http.GetAsync(target, bound.Token);
        if (reply.IsOk || (mayBeMissing && reply.Failure.Code == "SH-1007"))
            return reply;
        throw new EvidenceException($"GET {target} failed: {reply.Failure.Code} {reply.Failure.Detail}");
    }
}

/// <summary>The journal could not be read back.</summary>
public sealed class EvidenceException(string message) : Exception(message);

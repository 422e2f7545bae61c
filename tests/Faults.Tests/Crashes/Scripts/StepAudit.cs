using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Statehouse.Faults.Tests.Crashes;

/// <summary>
/// Holds what a server has against what a script was told: acknowledged steps are there as they were told, unknown ones once
/// or not at all, together on all their agents or on none; the chain holds, the live state is the fold, the feed is whole.
/// </summary>
internal sealed class StepAudit
{
    private const int PageMax = 1000;

    private readonly Dictionary<string, List<Found>> _journals = [];

    private readonly string _namespace;

    private StepAudit(string @namespace) => _namespace = @namespace;

    /// <summary>Reads everything and checks all that needs no expectation.</summary>
    public static async Task<StepAudit> OfAsync(HttpClient http, StepScript script, CancellationToken cancellationToken)
    {
        var audit = new StepAudit(script.Namespace);
        foreach (string agent in Step.AllAgents)
            audit._journals[agent] = await audit.JournalAsync(http, agent, cancellationToken);
        foreach ((int number, IReadOnlyList<StepReceipt> receipts) in script.Acknowledged)
        {
            foreach (StepReceipt receipt in receipts)
                Assert.Equal(receipt, Assert.Single(audit.Of(new Step(number, script.Namespace), receipt.Agent)).Receipt);
        }
        foreach (int number in script.Unknown)
            Assert.InRange(audit.CountOf(new Step(number, script.Namespace)), 0, 1);
        int[] told = [.. script.Acknowledged.Keys, .. script.Unknown];
        Assert.All(audit._journals.Values.SelectMany(journal => journal), found => Assert.Contains(found.Step.Number, told));
        audit.CheckPairs();
        foreach (string agent in Step.AllAgents)
            await audit.CheckStateAsync(http, agent, cancellationToken);
        await audit.CheckFeedAsync(http, cancellationToken);
        return audit;
    }

    public long VersionOf(string agent) => _journals[agent].Count;

    /// <summary>How often a step is there: on each of its agents as often.</summary>
    public int CountOf(Step step)
    {
        int[] counts = [.. step.Agents.Select(agent => Of(step, agent).Count()).Distinct()];
        Assert.True(counts.Length == 1, $"Step {step.Number} is on some of its agents, and not on all.");
        return counts[0];
    }

    private IEnumerable<Found> Of(Step step, string agent) => _journals[agent].Where(found => found.Step == step);

    private async Task<List<Found>> JournalAsync(HttpClient http, string agent, CancellationToken cancellationToken)
    {
        var journal = new List<Found>();
        string hash = HashChain.Genesis(0, _namespace, agent);
        await foreach (JsonElement commit in ItemsAsync(http, $"{Step.PathOf(_namespace, agent)}/commits", "from", cancellationToken))
        {
            Found found = Found.Read(_namespace, agent, commit);
            hash = HashChain.Next(hash, journal.Count + 1, commit.GetProperty("time").GetString()!, found.Receipt.TxnId, found.Body);
            Assert.Equal((journal.Count + 1, hash), (found.Receipt.Version, found.Receipt.Hash));
            Assert.True(journal.Count == 0 || journal[^1].Receipt.CommitTs < found.Receipt.CommitTs, $"commit_ts of {agent} does not grow.");
            journal.Add(found);
        }
        return journal;
    }

    /// <summary>All items of a list, page by page; none where there is no such list.</summary>
    private static async IAsyncEnumerable<JsonElement> ItemsAsync(
        HttpClient http, string path, string cursorName, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? cursor = "";
        while (cursor is not null)
        {
            string at = cursor.Length == 0 ? "" : $"&{cursorName}={Uri.EscapeDataString(cursor)}";
            if (await GetAsync(http, $"{path}?limit={PageMax}{at}", cancellationToken) is not { } page)
                yield break;
            using JsonDocument json = JsonDocument.Parse(page);
            foreach (JsonElement item in json.RootElement.GetProperty("items").EnumerateArray())
                yield return item.Clone();
            cursor = json.RootElement.TryGetProperty("next", out JsonElement next) ? next.ToString() : null;
        }
    }

    private void CheckPairs()
    {
        Assert.Equal(
            _journals[Step.Pair[0]].Select(found => (found.Step, found.Receipt.Version, found.Receipt.CommitTs, found.Receipt.TxnId)),
            _journals[Step.Pair[1]].Select(found => (found.Step, found.Receipt.Version, found.Receipt.CommitTs, found.Receipt.TxnId)));
    }

    private async Task CheckStateAsync(HttpClient http, string agent, CancellationToken cancellationToken)
    {
        var folded = new SortedDictionary<string, (string Value, long Version)>(StringComparer.Ordinal);
        foreach (Found found in _journals[agent])
        {
            using JsonDocument body = JsonDocument.Parse(found.Body);
            foreach (JsonElement operation in body.RootElement.GetProperty("operations").EnumerateArray())
                folded[operation.GetProperty("key").GetString()!] = (operation.GetProperty("value").GetRawText(), operation.GetProperty("version").GetInt64());
        }
        var live = new List<(string, string, long)>();
        await foreach (JsonElement each in ItemsAsync(http, $"{Step.PathOf(_namespace, agent)}/state", "after", cancellationToken))
            live.Add((each.GetProperty("key").GetString()!, each.GetProperty("value").GetRawText(), each.GetProperty("version").GetInt64()));
        Assert.Equal(folded.Select(each => (each.Key, each.Value.Value, each.Value.Version)), live);
    }

    private async Task CheckFeedAsync(HttpClient http, CancellationToken cancellationToken)
    {
        var feed = new List<StepReceipt>();
        string after = "0";
        for (string? next = after; next is not null;)
        {
            after = next;
            // A page of a store that others write too may hold none of this namespace.
            using JsonDocument json = JsonDocument.Parse((await GetAsync(http, $"/v1/feed?limit={PageMax}&namespace={_namespace}&after={after}", cancellationToken))!);
            feed.AddRange(json.RootElement.GetProperty("items").EnumerateArray().Select(item => Found.Read(_namespace, item.GetProperty("agent").GetString()!, item).Receipt));
            next = json.RootElement.TryGetProperty("next", out JsonElement cursor) && cursor.GetString() != after ? cursor.GetString() : null;
        }
        Assert.Equal(
            _journals.Values.SelectMany(journal => journal).Select(found => found.Receipt).OrderBy(each => each.CommitTs).ThenBy(each => each.Agent, StringComparer.Ordinal),
            feed.OrderBy(each => each.CommitTs).ThenBy(each => each.Agent, StringComparer.Ordinal));
        Assert.Equal(feed.Select(each => each.CommitTs).Order(), feed.Select(each => each.CommitTs));
    }

    /// <returns>null where there is nothing: 404.</returns>
    private static async Task<string?> GetAsync(HttpClient http, string path, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await http.GetAsync(path, cancellationToken);
        string text = await response.Content.ReadAsStringAsync(cancellationToken);
        if ((int)response.StatusCode == 404)
            return null;
        Assert.True(response.IsSuccessStatusCode, $"GET {path}: {(int)response.StatusCode} {text}");
        return text;
    }

    /// <summary>A commit in the journal.</summary>
    private sealed record Found(Step Step, StepReceipt Receipt, string Body)
    {
        public static Found Read(string @namespace, string agent, JsonElement commit)
        {
            string text = commit.GetRawText();
            return new Found(
                Step.WithKey(commit.GetProperty("idempotency_key").GetString()!, @namespace),
                new StepReceipt(
                    agent, commit.GetProperty("version").GetInt64(), commit.GetProperty("commit_ts").GetInt64(),
                    commit.GetProperty("txn_id").GetString()!, commit.GetProperty("hash").GetString()!),
                "{" + text[text.IndexOf("\"operations\":", StringComparison.Ordinal)..]);
        }
    }
}

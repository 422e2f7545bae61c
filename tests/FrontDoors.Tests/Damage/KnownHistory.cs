using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Statehouse.FrontDoors.Tests.Damage;

/// <summary>
/// All that a sound server said of its history, and the judgement of what a server on a damaged copy says: the same, or that it
/// is damaged. Never something else.
/// </summary>
internal sealed class KnownHistory
{
    /// <summary>The list of executions: one row, that of the newest checkpoint.</summary>
    private const string Feed = "/v1/feed?limit=1000";
    private const string Rows = "/v1/namespaces/default/executions?limit=1000";

    private static readonly string[] Latest =
        [.. Enumerable.Range(0, HistoryWriter.Agents).Select(agent => HistoryWriter.Agent(agent) + "/state?limit=1000"), HistoryWriter.Execution + "/checkpoints/latest"];

    // What identifies a fact, and the fact: commits, states by version, checkpoints by step, items of the feed.
    private readonly Dictionary<string, string> _facts = [];

    private readonly List<string> _pointReads = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<KnownHistory> RecordAsync(HttpClient http, IEnumerable<string> rows)
    {
        var known = new KnownHistory();
        foreach (string list in Lists().Where(list => list != Rows))
            known.RecordList(list, await http.GetStringAsync(list, Cancelled));
        foreach (string row in rows)
            known.RecordList(Rows, row);
        for (int agent = 0; agent < HistoryWriter.Agents; agent++)
        {
            int commits = known._facts.Keys.Count(fact => fact.StartsWith(HistoryWriter.Agent(agent) + "/commits", StringComparison.Ordinal));
            for (int version = 1; version <= commits; version++)
                await known.RecordPointAsync(http, string.Create(CultureInfo.InvariantCulture, $"{HistoryWriter.Agent(agent)}/state?limit=1000&at_version={version}"));
            await known.RecordPointAsync(http, HistoryWriter.Agent(agent) + "/state/k1?key_version=2");
        }
        int steps = known._facts.Keys.Count(fact => fact.StartsWith(HistoryWriter.Execution + "/checkpoints?", StringComparison.Ordinal));
        for (int step = 1; step <= steps; step++)
            await known.RecordPointAsync(http, string.Create(CultureInfo.InvariantCulture, $"{HistoryWriter.Execution}/checkpoints/{step}"));
        foreach (string latest in Latest)
            known._facts.Add(latest, await http.GetStringAsync(latest, Cancelled));
        return known;
    }

    /// <summary>Asks for everything listed, everything latest, and some old points.</summary>
    /// <param name="http">A server on the damaged copy.</param>
    /// <param name="random">Chooses the points.</param>
    /// <param name="missingMax">So many of the newest commits may be gone.</param>
    /// <returns>How often it said that it is damaged.</returns>
    /// <exception cref="SilentDamageException">It said something that nobody wrote, or left something out.</exception>
    public async Task<int> JudgeAsync(HttpClient http, Random random, int missingMax)
    {
        int said = 0;
        foreach (string list in Lists())
            said += await JudgeListAsync(http, list, missingMax);
        foreach (string point in Latest.Concat(_pointReads.Where(_ => random.Next(6) == 0)))
            said += await JudgePointAsync(http, point, missingMax);
        return said;
    }

    private static IEnumerable<string> Lists()
    {
        for (int agent = 0; agent < HistoryWriter.Agents; agent++)
            yield return HistoryWriter.Agent(agent) + "/commits?limit=1000";
        yield return HistoryWriter.Execution + "/checkpoints?state=true&limit=1000";
        yield return Rows;
        yield return Feed;
    }

    private void RecordList(string list, string answer)
    {
        using JsonDocument page = JsonDocument.Parse(answer);
        foreach (JsonElement item in page.RootElement.GetProperty("items").EnumerateArray())
            _facts.Add(NameOf(list, item), item.GetRawText());
        Assert.Contains(_facts.Keys, fact => fact.StartsWith(list, StringComparison.Ordinal));
    }

    private async Task RecordPointAsync(HttpClient http, string point)
    {
        _facts.Add(point, await http.GetStringAsync(point, Cancelled));
        _pointReads.Add(point);
    }

    private async Task<int> JudgeListAsync(HttpClient http, string list, int missingMax)
    {
        int count = 0;
        string? after = null;
        do
        {
            if (await AskAsync(http, after is null ? list : $"{list}&after={after}", missingMax) is not { } answer)
                return 1;
            if (answer.Length == 0)
                return 0;
            using JsonDocument page = JsonDocument.Parse(answer);
            foreach (JsonElement item in page.RootElement.GetProperty("items").EnumerateArray())
            {
                count++;
                if (!_facts.TryGetValue(NameOf(list, item), out string? fact) || fact != item.GetRawText())
                    throw new SilentDamageException($"{list} shows {item.GetRawText()}\ninstead of {fact}");
            }
            // A page of the feed that holds less than all ends in front of damage: the next one says so.
            after = list == Feed && page.RootElement.TryGetProperty("next", out JsonElement next) ? next.GetString() : null;
        }
        while (after is not null);
        int expected = list == Rows ? 1 : _facts.Keys.Count(fact => fact.StartsWith(list + "#", StringComparison.Ordinal));
        if (count > expected || expected - count > missingMax)
            throw new SilentDamageException($"{list} shows {count} of {expected}, without a word.");
        return 0;
    }

    private async Task<int> JudgePointAsync(HttpClient http, string point, int missingMax)
    {
        if (await AskAsync(http, point, missingMax) is not { } answer)
            return 1;
        bool isKnown = answer.Length == 0 || answer == _facts[point] || (missingMax > 0 && Latest.Contains(point) && _facts.ContainsValue(answer));
        return isKnown ? 0 : throw new SilentDamageException($"{point} is {answer}\ninstead of {_facts[point]}");
    }

    /// <returns>null: it says that it is damaged; empty: it says that there is no such thing, which is right behind a cut only.</returns>
    private static async Task<string?> AskAsync(HttpClient http, string request, int missingMax)
    {
        using HttpResponseMessage reply = await http.GetAsync(request, Cancelled);
        string body = await reply.Content.ReadAsStringAsync(Cancelled);
        if (reply.IsSuccessStatusCode)
            return body;
        if (body.Contains("\"SH-9001\"", StringComparison.Ordinal) && !body.Contains("Something went wrong that should not", StringComparison.Ordinal))
            return null;
        if (reply.StatusCode == HttpStatusCode.NotFound && missingMax > 0)
            return "";
        throw body.Contains("\"SH-1007\"", StringComparison.Ordinal)
            ? new UnknownNameException($"{request} answers {(int)reply.StatusCode}: {body}")
            : new SilentDamageException($"{request} answers {(int)reply.StatusCode}: {body}");
    }

    private static string NameOf(string list, JsonElement item)
    {
        string[] parts = ["agent", "version", "step", "execution_id"];
        return list + "#" + string.Join('#', parts.Select(part => item.TryGetProperty(part, out JsonElement value) ? value.ToString() : ""));
    }
}

/// <summary>A server on damaged files passed over the damage.</summary>
internal class SilentDamageException(string message) : Exception(message);

/// <summary>It says that there is no such agent, or no such execution.</summary>
internal sealed class UnknownNameException(string message) : SilentDamageException(message);

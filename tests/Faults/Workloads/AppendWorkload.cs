using System.Text.Json;
using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>
/// Lists that are appended to: read, then written with one more element if nobody was first. Every element that was acknowledged is in the list
/// once and for ever, in an order that agrees with time; every list that was read is the beginning of the last one. A client without
/// conditions appends to lists that only it writes.
/// </summary>
public sealed class AppendWorkload(WorkloadOptions options) : Workload("append", options)
{
    private const int ListCount = 2;
    private const int LengthMax = 50;
    private const string Elements = "l";

    private int _volume;

    public override IEnumerable<Violation> Check(RunEvidence evidence)
    {
        RecordedCall[] calls = [.. evidence.Of(Name)];
        var lists = new Dictionary<(AgentName, string), string[]>();
        foreach (AgentName agent in Agents)
        {
            foreach (ScannedKey item in evidence.State(agent))
                lists[(agent, item.Key)] = Parse(item.Value);
        }
        var appends = calls.Writes().SelectMany(written => written.Share.Writes.Select(write => new Append(written, write))).ToList();
        return [.. MembershipProblems(appends, lists), .. OrderProblems(appends, lists), .. ReadProblems(calls, lists)];
    }

    protected override async Task RunAsync(WorkloadClient client)
    {
        (int Client, int Generation, int Part, List<string> Elements) own = (0, 0, 0, []);
        while (client.IsRunning)
        {
            int generation = NextStep();
            AgentName agent = Agent(generation, "l");
            if (client.HasConditions)
            {
                await AppendAsync(client, agent, $"l{client.Random.Next(ListCount)}:{Volatile.Read(ref _volume)}");
                continue;
            }
            if ((own.Client, own.Generation) != (client.Number, generation) || own.Elements.Count >= LengthMax)
                own = (client.Number, generation, own.Part + 1, []);
            string element = client.Token();
            Call call = client.Random.Next(4) switch
            {
                0 => client.Read(agent, $"l0:{Volatile.Read(ref _volume)}"),
                1 => client.Read(agent, $"own:{own.Client}:{own.Part}"),
                _ => new CommitCall([new Share(agent, [new Write($"own:{own.Client}:{own.Part}", Text([.. own.Elements, element]))])]),
            };
            if ((await client.CallAsync(call)).Answer is CommitAnswer)
                own.Elements.Add(element);
        }
    }

    private async Task AppendAsync(WorkloadClient client, AgentName agent, string key)
    {
        if (client.Random.Next(5) == 0)
        {
            await client.CallAsync(new TransactionCall([(agent, key)], reads =>
                [new Share(agent, [new Write(key, Text([.. Parse(reads[0].Value), client.Token()]))])]));
            return;
        }
        if ((await client.CallAsync(client.Read(agent, key))).Answer is not ReadAnswer read)
            return;
        string[] list = Parse(read.Value);
        if (list.Length >= LengthMax)
        {
            // All go on with new lists, so that what is written at each append stays short.
            int volume = int.Parse(key.AsSpan(key.IndexOf(':') + 1), System.Globalization.CultureInfo.InvariantCulture);
            Interlocked.CompareExchange(ref _volume, volume + 1, volume);
        }
        await client.CallAsync(new CommitCall([new Share(agent, [new Write(key, Text([.. list, client.Token()]), read.KeyVersion)])]));
    }

    private static string Text(string[] elements) => $"{{\"{Elements}\":[{string.Join(',', elements.Select(element => $"\"{element}\""))}]}}";

    private static string[] Parse(string? value)
    {
        if (value is null)
            return [];
        using JsonDocument json = JsonDocument.Parse(value);
        return [.. json.RootElement.GetProperty(Elements).EnumerateArray().Select(element => element.GetString()!)];
    }

    private IEnumerable<Violation> MembershipProblems(List<Append> appends, Dictionary<(AgentName, string), string[]> lists)
    {
        Dictionary<(AgentName, string, string), Append> known = appends.ToDictionary(append => (append.Agent, append.Key, append.Element));
        foreach (((AgentName agent, string key), string[] list) in lists)
        {
            foreach (IGrouping<string, string> element in list.GroupBy(element => element))
            {
                if (element.Count() > 1)
                    yield return Broken($"{agent} {key} holds {element.Key} {element.Count()} times", CallOf(agent, key, element.Key));
                if (!known.TryGetValue((agent, key, element.Key), out Append? append))
                    yield return Broken($"{agent} {key} holds {element.Key}, which no call appended");
                else if (append.Call.Result.Outcome == Outcome.Refused)
                    yield return Broken($"{agent} {key} holds {element.Key}, whose append was refused ({append.Call.Result.Code})", append.Call);
            }
        }
        foreach (Append append in appends.Where(append => append.Call.Result.Outcome == Outcome.Ok))
        {
            if (!lists.GetValueOrDefault((append.Agent, append.Key), []).Contains(append.Element))
                yield return Broken($"{append.Agent} {append.Key} has lost {append.Element}, whose append was acknowledged", append.Call);
        }

        IEnumerable<RecordedCall> CallOf(AgentName agent, string key, string element) =>
            known.TryGetValue((agent, key, element), out Append? append) ? [append.Call] : [];
    }

    /// <summary>No element stands behind one whose append began after its own had been acknowledged.</summary>
    private IEnumerable<Violation> OrderProblems(List<Append> appends, Dictionary<(AgentName, string), string[]> lists)
    {
        Dictionary<(AgentName, string, string), RecordedCall> acknowledged = appends
            .Where(append => append.Call.Result.Outcome == Outcome.Ok)
            .ToDictionary(append => (append.Agent, append.Key, append.Element), append => append.Call);
        foreach (((AgentName agent, string key), string[] list) in lists)
        {
            RecordedCall? earliestLater = null;
            foreach (string element in list.Reverse())
            {
                if (!acknowledged.TryGetValue((agent, key, element), out RecordedCall? call))
                    continue;
                if (earliestLater is not null && earliestLater.EndedAt < call.InvokedAt)
                    yield return Broken($"{agent} {key} has {element} before an element that had been acknowledged when its append began", earliestLater, call);
                if (earliestLater is null || call.EndedAt < earliestLater.EndedAt)
                    earliestLater = call;
            }
        }
    }

    private IEnumerable<Violation> ReadProblems(RecordedCall[] calls, Dictionary<(AgentName, string), string[]> lists)
    {
        foreach (Shown shown in calls.Shows())
        {
            string[] seen = Parse(shown.Value);
            if (!lists.GetValueOrDefault((shown.Agent, shown.Key), []).Take(seen.Length).SequenceEqual(seen))
                yield return Broken($"{shown.Agent} {shown.Key} was read with {seen.Length} elements that are not the beginning of the list in the end", shown.Call);
        }
    }

    /// <summary>One element's way into a list: the last one of what was written.</summary>
    private sealed record Append(RecordedCall Call, AgentName Agent, string Key, string Element)
    {
        public Append(Written written, Write write)
            : this(written.Call, written.Share.Agent, write.Key, Parse(write.Value)[^1])
        {
        }
    }
}

using System.Collections.Concurrent;
using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>
/// A set whose elements are keys: each is added once and deleted at most once. What was added and never deleted is there, what was deleted
/// is gone for ever, and a scan shows what had been added and nothing that had been deleted, in byte order.
/// </summary>
public sealed class SetsWorkload(WorkloadOptions options) : Workload("sets", options)
{
    private const string Prefix = "e:";
    private const int LiveMax = 60;

    /// <summary>Elements whose add was acknowledged and that nobody has begun to delete, by agent.</summary>
    private readonly ConcurrentDictionary<AgentName, ConcurrentQueue<string>> _live = new();

    public override IEnumerable<Violation> Check(RunEvidence evidence)
    {
        RecordedCall[] calls = [.. evidence.Of(Name)];
        Dictionary<AgentName, Dictionary<string, Element>> sets = Agents.ToDictionary(agent => agent, _ => new Dictionary<string, Element>());
        foreach (Written written in calls.Writes())
        {
            Dictionary<string, Element> set = sets[written.Share.Agent];
            foreach (Write write in written.Share.Writes)
            {
                if (!set.TryGetValue(write.Key, out Element? element))
                    set[write.Key] = element = new Element();
                (write.Value is null ? element.Deletes : element.Adds).Add(written.Call);
            }
        }
        return [.. sets.SelectMany(set => FinalProblems(evidence, set.Key, set.Value)), .. calls.SelectMany(call => ScanProblems(call, sets))];
    }

    protected override async Task RunAsync(WorkloadClient client)
    {
        while (client.IsRunning)
        {
            AgentName agent = Agent(NextStep(), "s");
            ConcurrentQueue<string> live = _live.GetOrAdd(agent, _ => new());
            int roll = client.Random.Next(100);
            if (roll < 12)
                await client.CallAsync(client.Scan(agent, Prefix));
            else if (roll < 20)
                await client.CallAsync(client.Read(agent, live.TryPeek(out string? some) ? some : Prefix + "never"));
            else if (live.Count > client.Random.Next(LiveMax) && live.TryDequeue(out string? victim))
                await client.CallAsync(new CommitCall([new Share(agent, [new Write(victim, null, client.HasConditions && roll % 2 == 0 ? 1 : null)])]));
            else
                await AddAsync(client, agent, live);
        }
    }

    private static async Task AddAsync(WorkloadClient client, AgentName agent, ConcurrentQueue<string> live)
    {
        // In no order of time, and with letters of several bytes: byte order is not given for nothing.
        string[] keys = [.. Enumerable.Range(0, client.Random.Next(1, 4)).Select(_ => $"{Prefix}{"azé日"[client.Random.Next(4)]}{client.Random.Next(100)}/{client.Token()}")];
        IEnumerable<Write> adds = keys.Select(key => new Write(key, Values.Of(client.Random, client.Token()), client.HasConditions ? 0 : null));
        if ((await client.CallAsync(new CommitCall([new Share(agent, [.. adds])]))).Outcome != Outcome.Ok)
            return;
        foreach (string key in keys)
            live.Enqueue(key);
    }

    private IEnumerable<Violation> FinalProblems(RunEvidence evidence, AgentName agent, Dictionary<string, Element> set)
    {
        HashSet<string> there = [.. evidence.State(agent).Select(item => item.Key)];
        foreach (string key in there.Where(key => !set.ContainsKey(key)))
            yield return Broken($"{agent} holds {key}, which no call added");
        foreach ((string key, Element element) in set)
        {
            bool isThere = there.Contains(key);
            if (isThere && element.Adds.TrueForAll(Refused))
                yield return Broken($"{agent} holds {key}, whose add was refused", element.Adds);
            if (isThere && element.Deletes.Exists(Ok))
                yield return Broken($"{agent} still holds {key}, whose delete was acknowledged", element.All);
            if (!isThere && element.Adds.Exists(Ok) && element.Deletes.TrueForAll(Refused))
                yield return Broken($"{agent} has lost {key}, whose add was acknowledged and which nobody deleted", element.All);
        }
    }

    private IEnumerable<Violation> ScanProblems(RecordedCall call, Dictionary<AgentName, Dictionary<string, Element>> sets)
    {
        if (call is not { Call: ScanCall scan, Result.Answer: ScanAnswer answer })
            yield break;
        Dictionary<string, Element> set = sets[scan.Agent];
        foreach (ScannedKey item in answer.Items)
        {
            Element? element = set.GetValueOrDefault(item.Key);
            if (element is null || element.Adds.TrueForAll(add => Refused(add) || add.InvokedAt > call.EndedAt))
                yield return Broken($"a scan of {scan.Agent} showed {item.Key}, which nobody had added", [call, .. element?.All ?? []]);
            else if (scan.IsStrong && element.Deletes.Exists(delete => Ok(delete) && delete.EndedAt < call.InvokedAt))
                yield return Broken($"a scan of {scan.Agent} showed {item.Key}, which had been deleted", [call, .. element.All]);
        }
        if (!scan.IsStrong)
            yield break;
        HashSet<string> shown = [.. answer.Items.Select(item => item.Key)];
        foreach ((string key, Element element) in set)
        {
            bool mustBeThere = element.Adds.Exists(add => Ok(add) && add.EndedAt < call.InvokedAt)
                && element.Deletes.TrueForAll(delete => Refused(delete) || delete.InvokedAt > call.EndedAt);
            if (mustBeThere && !shown.Contains(key))
                yield return Broken($"a scan of {scan.Agent} did not show {key}, which had been added", [call, .. element.All]);
        }
    }

    private static bool Ok(RecordedCall call) => call.Result.Outcome == Outcome.Ok;

    private static bool Refused(RecordedCall call) => call.Result.Outcome == Outcome.Refused;

    private sealed class Element
    {
        public List<RecordedCall> Adds { get; } = [];

        public List<RecordedCall> Deletes { get; } = [];

        public IEnumerable<RecordedCall> All => [.. Adds, .. Deletes];
    }
}

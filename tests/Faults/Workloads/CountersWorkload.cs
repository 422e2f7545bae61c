using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>
/// Counters that go up by one: read, then written if nobody was first; alone, two in one commit, or in an interactive transaction. A client
/// without conditions counts under keys that only it writes. The last value is the number of increments that succeeded, and of those
/// of unknown outcome that happened; no step is missing, none was done twice.
/// </summary>
public sealed class CountersWorkload(WorkloadOptions options) : Workload("counters", options)
{
    private const int SharedCount = 4;
    private const string Count = "n";

    public override IEnumerable<Violation> Check(RunEvidence evidence)
    {
        RecordedCall[] calls = [.. evidence.Of(Name)];
        Dictionary<(AgentName, string), Counted> counters = Tally(calls);
        foreach (AgentName agent in Agents)
        {
            foreach (JournaledCommit commit in evidence.Commits(agent))
            {
                foreach (JournaledOperation operation in commit.Operations)
                    Of(counters, agent, operation.Key).Journaled.Add((commit.Version, ValueOf(operation.Value)));
            }
            foreach (ScannedKey item in evidence.State(agent))
                Of(counters, agent, item.Key).Final = ValueOf(item.Value);
        }
        return [.. counters.SelectMany(counter => Problems(counter.Key.Item1, counter.Key.Item2, counter.Value)), .. ReadProblems(calls, counters)];
    }

    protected override async Task RunAsync(WorkloadClient client)
    {
        (int Client, int Generation, long Last) own = (0, 0, 0);
        while (client.IsRunning)
        {
            int generation = NextStep();
            AgentName agent = Agent(generation, "c");
            if (client.HasConditions)
            {
                await IncrementAsync(client, agent);
                continue;
            }
            if ((own.Client, own.Generation) != (client.Number, generation))
                own = (client.Number, generation, 0);
            Call call = client.Random.Next(3) switch
            {
                0 => client.Read(agent, Shared(client)),
                1 => client.Scan(agent),
                _ => new CommitCall([new Share(agent, [new Write($"own:{own.Client}", Next(client, own.Last))])]),
            };
            if ((await client.CallAsync(call)).Answer is CommitAnswer)
                own.Last++;
        }
    }

    private static async Task IncrementAsync(WorkloadClient client, AgentName agent)
    {
        string first = Shared(client);
        string second = Shared(client);
        string[] keys = first == second ? [first] : [first, second];
        if (client.Random.Next(4) == 0)
        {
            await client.CallAsync(new TransactionCall([.. keys.Select(key => (agent, key))], reads =>
                [new Share(agent, [.. keys.Select((key, i) => new Write(key, Next(client, ValueOf(reads[i].Value))))])]));
            return;
        }
        var writes = new List<Write>();
        foreach (string key in keys)
        {
            if ((await client.CallAsync(client.Read(agent, key))).Answer is not ReadAnswer read)
                return;
            writes.Add(new Write(key, Next(client, ValueOf(read.Value)), read.KeyVersion));
        }
        await client.CallAsync(new CommitCall([new Share(agent, writes)]));
    }

    private static string Shared(WorkloadClient client) => $"c{client.Random.Next(SharedCount)}";

    private static string Next(WorkloadClient client, long last) => Values.Of(client.Random, client.Token(), Values.Member(Count, last + 1));

    private static long ValueOf(string? value) => value is null ? 0 : Values.Number(value, Count);

    private static Dictionary<(AgentName, string), Counted> Tally(RecordedCall[] calls)
    {
        var counters = new Dictionary<(AgentName, string), Counted>();
        foreach (Written written in calls.Writes().Where(written => written.Outcome != Outcome.Refused))
        {
            foreach (Write write in written.Share.Writes)
            {
                Counted counter = Of(counters, written.Share.Agent, write.Key);
                (written.Outcome == Outcome.Ok ? counter.Ok : counter.Unknown).Add(written.Call);
            }
        }
        return counters;
    }

    private static Counted Of(Dictionary<(AgentName, string), Counted> counters, AgentName agent, string key)
    {
        if (!counters.TryGetValue((agent, key), out Counted? counter))
            counters[(agent, key)] = counter = new Counted();
        return counter;
    }

    private IEnumerable<Violation> Problems(AgentName agent, string key, Counted counter)
    {
        long most = counter.Ok.Count + counter.Unknown.Count;
        if (counter.Final < counter.Ok.Count || counter.Final > most)
            yield return Broken($"{agent} {key} is {counter.Final} in the end, after {counter.Ok.Count} increments that succeeded and {counter.Unknown.Count} of unknown outcome");
        for (int i = 0; i < counter.Journaled.Count; i++)
        {
            if (counter.Journaled[i].Value == i + 1)
                continue;
            yield return Broken(
                $"{agent} {key}: write {i + 1} of the counter, at version {counter.Journaled[i].Version}, says {counter.Journaled[i].Value}: an increment was lost or done twice");
            break;
        }
        if (counter.Journaled.Count != counter.Final)
            yield return Broken($"{agent} {key} is {counter.Final} in the end, and the journal counts {counter.Journaled.Count} increments");
    }

    /// <summary>What is shown of a counter is on its way from nothing to its last value, and says the same as the key version does.</summary>
    private IEnumerable<Violation> ReadProblems(RecordedCall[] calls, Dictionary<(AgentName, string), Counted> counters)
    {
        foreach (Shown shown in calls.Shows())
        {
            long value = ValueOf(shown.Value);
            if (value != shown.KeyVersion || value > Of(counters, shown.Agent, shown.Key).Final)
                yield return Broken(
                    $"{shown.Agent} {shown.Key} showed {value} at key version {shown.KeyVersion}, and ends at {Of(counters, shown.Agent, shown.Key).Final}", shown.Call);
        }
    }

    private sealed class Counted
    {
        public List<RecordedCall> Ok { get; } = [];

        public List<RecordedCall> Unknown { get; } = [];

        public List<(long Version, long Value)> Journaled { get; } = [];

        public long Final { get; set; }
    }
}

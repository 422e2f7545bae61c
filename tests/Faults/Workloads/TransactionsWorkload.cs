using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>
/// Interactive transactions that read and write keys of several agents in several namespaces, whose names are as awkward as names may be.
/// Each key counts the transactions that wrote it, so none is lost; each transaction is in all its agents' journals under one
/// commit_ts, or in none. A client without conditions writes several agents together under keys that only it writes.
/// </summary>
public sealed class TransactionsWorkload(WorkloadOptions options) : Workload("transactions", options)
{
    private const string Count = "n";

    // Names that meet where somebody joins, splits, decodes or cuts them.
    private static readonly (string Namespace, string Id)[] Names =
    [
        ("faults/tx", "a:b"),
        ("faults", "tx/a:b"),
        ("faults:tx", "a%2Fb"),
        ("faults%2Ftx", "a/b"),
        ("Zürich → 日本", "ключ ?#&=+"),
    ];

    private static readonly string[] Keys = ["n", "n/ü:%2F", "n%2F"];

    public override IEnumerable<Violation> Check(RunEvidence evidence)
    {
        RecordedCall[] calls = [.. evidence.Of(Name)];
        return [.. Agents.SelectMany(agent => CountProblems(evidence, agent)), .. AtomicityProblems(evidence, calls)];
    }

    protected override async Task RunAsync(WorkloadClient client)
    {
        (int Client, int Generation, long Last) own = (0, 0, 0);
        while (client.IsRunning)
        {
            int generation = NextStep();
            AgentName[] agents = Some(client, [.. Names.Select(name => Agent(generation, name.Id, name.Namespace))]);
            if (client.HasConditions)
            {
                await client.CallAsync(client.Random.Next(4) == 0 ? client.Read(agents[0], Keys[client.Random.Next(Keys.Length)]) : ReadAndWrite(client, agents));
                continue;
            }
            if ((own.Client, own.Generation) != (client.Number, generation))
                own = (client.Number, generation, 0);
            Call call = client.Random.Next(3) == 0
                ? client.Scan(agents[0])
                : new CommitCall([.. Names.Select(name => new Share(Agent(generation, name.Id, name.Namespace), [new Write($"own/{own.Client}", Next(client, own.Last))]))]);
            if ((await client.CallAsync(call)).Answer is CommitAnswer)
                own.Last++;
        }
    }

    private static TransactionCall ReadAndWrite(WorkloadClient client, AgentName[] agents)
    {
        (AgentName Agent, string Key)[] reads = [.. agents.Select(agent => (agent, Keys[client.Random.Next(Keys.Length)]))];
        bool isAborted = client.Random.Next(20) == 0;
        bool hasDelete = client.Random.Next(5) == 0;
        string once = $"once/{client.Token()}";
        return new TransactionCall(reads, answers => isAborted ? [] : [.. reads.Select((read, i) => new Share(read.Agent,
        [
            new Write(read.Key, Next(client, ValueOf(answers[i].Value))),
            // Beside the counter a key that comes and goes within the commit: put and tombstone are two versions.
            .. hasDelete ? new[] { new Write(once, "{\"n\":1}"), new Write(once, null) } : [],
        ]))]);
    }

    private static AgentName[] Some(WorkloadClient client, AgentName[] agents)
    {
        client.Random.Shuffle(agents);
        return agents[..client.Random.Next(1, 4)];
    }

    private static string Next(WorkloadClient client, long last) => Values.Of(client.Random, client.Token(), Values.Member(Count, last + 1));

    private static long ValueOf(string? value) => value is null ? 0 : Values.Number(value, Count);

    /// <summary>Every transaction wrote one more than it had read, and its commit made sure that nobody had been there in between.</summary>
    private IEnumerable<Violation> CountProblems(RunEvidence evidence, AgentName agent)
    {
        foreach (JournaledCommit commit in evidence.Commits(agent))
        {
            foreach (JournaledOperation operation in commit.Operations.Where(operation => operation.Value is not null))
            {
                if (ValueOf(operation.Value) != operation.KeyVersion)
                    yield return Broken(
                        $"{agent} {operation.Key}: version {commit.Version} counts {ValueOf(operation.Value)} at key version {operation.KeyVersion}: it was decided on what was no longer so");
            }
        }
    }

    private IEnumerable<Violation> AtomicityProblems(RunEvidence evidence, RecordedCall[] calls)
    {
        // The first value of a share names its call; what is in a journal is found by it.
        Dictionary<(AgentName, string), JournaledCommit> journaled = [];
        foreach (AgentName agent in Agents)
        {
            foreach (JournaledCommit commit in evidence.Commits(agent))
            {
                if (!journaled.TryAdd((agent, commit.Operations[0].Value ?? ""), commit))
                    yield return Broken($"{agent}: version {commit.Version} is a second commit of one share");
            }
        }
        foreach (RecordedCall call in calls)
        {
            IReadOnlyList<Share> shares = RunHistory.SharesOf(call);
            JournaledCommit?[] found = [.. shares.Select(share => journaled.GetValueOrDefault((share.Agent, share.Writes[0].Value!)))];
            int there = found.Count(commit => commit is not null);
            if (there > 0 && there < found.Length)
                yield return Broken($"a transaction over {found.Length} agents is in the journals of {there}", call);
            if (there > 0 && found.Where(commit => commit is not null).Select(commit => (commit!.CommitTs, commit.TxnId)).Distinct().Count() != 1)
                yield return Broken("the commits of one transaction have several commit_ts or txn ids", call);
            if (there > 0 && call.Result.Outcome == Outcome.Refused)
                yield return Broken($"a transaction that was refused ({call.Result.Code}) is in the journals", call);
            if (there < found.Length && call.Result.Outcome == Outcome.Ok)
                yield return Broken("an acknowledged transaction is not in the journals", call);
        }
    }
}

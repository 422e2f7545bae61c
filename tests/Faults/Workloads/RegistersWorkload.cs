using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>
/// Few hot keys: reads, blind puts and deletes, compare-and-set by key version and by agent version, commits of several keys and on two
/// agents. Mostly food for the linearizability checker.
/// </summary>
public sealed class RegistersWorkload(WorkloadOptions options) : Workload("registers", options)
{
    private const int AgentCount = 2;
    private const int KeyCount = 3;

    public override IEnumerable<Violation> Check(RunEvidence evidence)
    {
        RecordedCall[] calls = [.. evidence.Of(Name)];
        return [.. OriginProblems(calls), .. ConditionProblems(calls), .. PastProblems(evidence, calls)];
    }

    protected override async Task RunAsync(WorkloadClient client)
    {
        var known = new Dictionary<(AgentName, string), ReadAnswer>();
        while (client.IsRunning)
        {
            int generation = NextStep();
            AgentName agent = Agent(generation, $"{client.Random.Next(AgentCount)}");
            string key = $"r{client.Random.Next(KeyCount)}";
            known.TryGetValue((agent, key), out ReadAnswer? last);
            Call call = client.HasConditions
                ? Conditional(client, generation, agent, key, last)
                : Unconditional(client, generation, agent, key);
            CallResult result = await client.CallAsync(call);
            if (call is ReadCall { AtVersion: null } && result.Answer is ReadAnswer answer)
                known[(agent, key)] = answer;
            else
                known.Remove((agent, key));
        }
    }

    private Call Conditional(WorkloadClient client, int generation, AgentName agent, string key, ReadAnswer? last) => client.Random.Next(100) switch
    {
        < 35 => client.Read(agent, key),
        < 40 => last is { AgentVersion: > 0 } ? new ReadCall(agent, key, 1 + client.Random.NextInt64(last.AgentVersion), IsStrong: false) : client.Read(agent, key),
        < 80 when last is not null => client.Random.Next(6) == 0
            ? new CommitCall([new Share(agent, [Put(client, key)], last.AgentVersion)])
            : new CommitCall([new Share(agent, [Put(client, key) with { IfVersion = last.KeyVersion }])]),
        < 80 => client.Read(agent, key),
        _ => Unconditional(client, generation, agent, key),
    };

    private Call Unconditional(WorkloadClient client, int generation, AgentName agent, string key) => client.Random.Next(100) switch
    {
        < 30 => client.Read(agent, key),
        < 40 => client.Scan(agent),
        < 75 => new CommitCall([new Share(agent, [Put(client, key)])]),
        < 82 => new CommitCall([new Share(agent, [new Write(key, null)])]),
        < 92 => new CommitCall([new Share(agent, [.. Enumerable.Range(0, KeyCount).Select(i => Put(client, $"r{i}"))])]),
        _ => new CommitCall([.. Enumerable.Range(0, AgentCount).Select(i => new Share(Agent(generation, $"{i}"), [Put(client, key)]))]),
    };

    private static Write Put(WorkloadClient client, string key) => new(key, Values.Of(client.Random, client.Token()));

    /// <summary>A value that is shown was written by a call that was not refused, and that had begun by then.</summary>
    private IEnumerable<Violation> OriginProblems(RecordedCall[] calls)
    {
        Dictionary<(AgentName, string, string), RecordedCall> writers = [];
        foreach (Written written in calls.Writes())
        {
            foreach (Write write in written.Share.Writes.Where(write => write.Value is not null))
                writers[(written.Share.Agent, write.Key, write.Value!)] = written.Call;
        }
        foreach (Shown shown in calls.Shows())
        {
            if (!writers.TryGetValue((shown.Agent, shown.Key, shown.Value), out RecordedCall? writer))
                yield return Broken($"{shown.Agent} {shown.Key} showed a value that no call wrote: {Cut(shown.Value)}", shown.Call);
            else if (writer.Result.Outcome == Outcome.Refused)
                yield return Broken($"{shown.Agent} {shown.Key} showed the value of a write that was refused ({writer.Result.Code})", writer, shown.Call);
            else if (writer.InvokedAt > shown.Call.EndedAt)
                yield return Broken($"{shown.Agent} {shown.Key} showed a value before it was written", shown.Call, writer);
        }
    }

    /// <summary>Of the commits under one condition at most one can have succeeded: each moves the version on.</summary>
    private IEnumerable<Violation> ConditionProblems(RecordedCall[] calls)
    {
        Dictionary<(AgentName, string, long), RecordedCall> winners = [];
        foreach (Written written in calls.Writes().Where(written => written.Outcome == Outcome.Ok))
        {
            IEnumerable<(string Key, long Version)> conditions = written.Share.Writes
                .Where(write => write.IfVersion is not null).Select(write => (write.Key, write.IfVersion!.Value));
            if (written.Share.IfAgentVersion is { } version)
                conditions = conditions.Append(("", version));
            foreach ((string key, long seen) in conditions)
            {
                if (!winners.TryAdd((written.Share.Agent, key, seen), written.Call))
                    yield return Broken(
                        $"{written.Share.Agent} {(key.Length == 0 ? "as a whole" : key)}: two writes succeeded that both asked for version {seen}",
                        winners[(written.Share.Agent, key, seen)], written.Call);
            }
        }
    }

    /// <summary>What is read as of an agent version, or says that it is of one, is the fold of the journal up to it.</summary>
    private IEnumerable<Violation> PastProblems(RunEvidence evidence, RecordedCall[] calls)
    {
        var past = new KeyHistories(evidence);
        foreach (RecordedCall call in calls)
        {
            if (call is { Call: ReadCall read, Result.Answer: ReadAnswer { AgentVersion: > 0 } answer })
            {
                JournaledOperation? then = past.At(read.Agent, read.Key, read.AtVersion ?? answer.AgentVersion);
                if (then?.Value != answer.Value || (then?.KeyVersion ?? 0) != answer.KeyVersion)
                    yield return Broken(
                        $"{read.Agent} {read.Key} as of version {answer.AgentVersion} was read as {Cut(answer.Value)} (key version {answer.KeyVersion}), "
                        + $"and the journal says {Cut(then?.Value)} (key version {then?.KeyVersion ?? 0})", call);
            }
            else if (call is { Call: ScanCall scan, Result.Answer: ScanAnswer { AgentVersion: > 0 } page })
            {
                if (!past.StateAt(scan.Agent, scan.Prefix, page.AgentVersion).SequenceEqual(page.Items))
                    yield return Broken($"the scan of {scan.Agent} at version {page.AgentVersion} is not what the journal says of that version", call);
            }
        }
    }

    private static string Cut(string? value) => value is null ? "absent" : value.Length <= 80 ? value : value[..80] + "…";
}

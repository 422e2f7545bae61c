using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>
/// Commits with an idempotency key, on one agent or two: repeated with the same key after an unknown outcome until it is known, and now and
/// then for no reason. However often one was sent, it is in the journal once, and every answer is the first one's. A client without
/// conditions only reads.
/// </summary>
public sealed class RetriesWorkload(WorkloadOptions options) : Workload("retries", options)
{
    private const int AgentCount = 2;

    public override IEnumerable<Violation> Check(RunEvidence evidence)
    {
        Dictionary<(AgentName, string), List<JournaledCommit>> journaled = [];
        foreach (AgentName agent in Agents)
        {
            foreach (JournaledCommit commit in evidence.Commits(agent).Where(commit => commit.IdempotencyKey is not null))
            {
                if (!journaled.TryGetValue((agent, commit.IdempotencyKey!), out List<JournaledCommit>? commits))
                    journaled[(agent, commit.IdempotencyKey!)] = commits = [];
                commits.Add(commit);
            }
        }
        IEnumerable<IGrouping<string, RecordedCall>> repeats = evidence.Of(Name)
            .Where(call => call.Call is CommitCall { IdempotencyKey: not null })
            .GroupBy(call => ((CommitCall)call.Call).IdempotencyKey!);
        return [.. repeats.SelectMany(attempts => Problems([.. attempts], attempts.Key, journaled))];
    }

    protected override async Task RunAsync(WorkloadClient client)
    {
        while (client.IsRunning)
        {
            int generation = NextStep();
            AgentName agent = Agent(generation, $"{client.Random.Next(AgentCount)}");
            if (!client.HasConditions || client.Random.Next(5) == 0)
                await client.CallAsync(client.Random.Next(2) == 0 ? client.Scan(agent, $"k{client.Random.Next(10)}") : client.Read(agent, "last"));
            else
                await CommitUntilKnownAsync(client, generation, agent);
        }
    }

    private async Task CommitUntilKnownAsync(WorkloadClient client, int generation, AgentName agent)
    {
        string token = client.Token();
        // Where the first attempt took effect, its repeat is answered before its condition is looked at.
        long? ifVersion = client.Random.Next(2) == 0 ? 0 : null;
        Share ShareOn(AgentName on) => new(on,
            [new Write($"k{client.Random.Next(10)}/{token}", Values.Of(client.Random, token), ifVersion), new Write("last", Values.Of(client.Random, token))]);
        Share[] shares = client.Random.Next(4) == 0
            ? [.. Enumerable.Range(0, AgentCount).Select(i => ShareOn(Agent(generation, $"{i}")))]
            : [ShareOn(agent)];
        var commit = new CommitCall(shares, $"retry/{Options.Seed}/{token}");
        CallResult result = await client.CallAsync(commit);
        while (client.IsRunning && (!IsKnown(result) || (result.Outcome == Outcome.Ok && client.Random.Next(4) == 0)))
            result = await client.CallAsync(commit);
    }

    /// <summary>A fault that wrote nothing says nothing of the attempts before it: only a receipt or a refusal does.</summary>
    private static bool IsKnown(CallResult result) => result.Outcome == Outcome.Ok || (result.Code?.StartsWith("SH-1", StringComparison.Ordinal) ?? false);

    private IEnumerable<Violation> Problems(RecordedCall[] attempts, string key, Dictionary<(AgentName, string), List<JournaledCommit>> journaled)
    {
        RecordedCall[] answered = [.. attempts.Where(call => call.Result.Outcome == Outcome.Ok)];
        bool allRefused = attempts.All(call => call.Result.Outcome == Outcome.Refused);
        foreach (Share share in ((CommitCall)attempts[0].Call).Shares)
        {
            List<JournaledCommit> commits = journaled.GetValueOrDefault((share.Agent, key), []);
            if (commits.Count > 1)
                yield return Broken($"{share.Agent} has {commits.Count} commits of idempotency key {key}, at versions {string.Join(", ", commits.Select(commit => commit.Version))}", attempts);
            if (commits.Count == 0 && answered.Length > 0)
                yield return Broken($"{share.Agent} has no commit of idempotency key {key}, which was acknowledged", answered);
            if (commits.Count > 0 && allRefused)
                yield return Broken($"{share.Agent} has a commit of idempotency key {key}, which was only ever refused", attempts);
        }
        Receipt[][] receipts = [.. answered.Select(call => ((CommitAnswer)call.Result.Answer!).Receipts.Select(receipt => receipt with { IsReplayed = false }).ToArray())];
        if (receipts.Skip(1).Any(other => !other.SequenceEqual(receipts[0])))
            yield return Broken($"idempotency key {key} was answered with different receipts", answered);
        if (answered.Count(call => !((CommitAnswer)call.Result.Answer!).Receipts[0].IsReplayed) > 1)
            yield return Broken($"idempotency key {key} was answered more than once as if for the first time", answered);
    }
}

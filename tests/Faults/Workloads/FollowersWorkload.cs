using System.Collections.Concurrent;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Clients;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>
/// Half of the clients follow an agent that the others write, breaks off now and then, and goes on, also on another server, behind the last
/// commit that it saw. Each follower sees each commit once, in order, and what the journal has.
/// </summary>
public sealed class FollowersWorkload(WorkloadOptions options) : Workload("followers", options)
{
    private static readonly TimeSpan StretchMax = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(50);

    /// <summary>The newest version that was acknowledged to a writer, by agent.</summary>
    private readonly ConcurrentDictionary<AgentName, long> _acknowledged = new();

    /// <summary>What was seen over a protocol that tells no hash: kept from the recorder, whose commits have one.</summary>
    private readonly ConcurrentQueue<SeenCommit> _seenWithoutHash = new();

    /// <summary>With fewer commits a follower may just not have been there in time.</summary>
    private const int AcknowledgedLeast = 100;

    /// <summary>How much followers were shown, by protocol.</summary>
    private readonly ConcurrentDictionary<string, long> _seenOver = new();

    public override IEnumerable<Violation> Check(RunEvidence evidence)
    {
        HashSet<AgentName> mine = [.. Agents];
        IEnumerable<IGrouping<(string, AgentName), SeenCommit>> followed = evidence.Seen.Where(seen => mine.Contains(seen.Agent))
            .Concat(_seenWithoutHash)
            .GroupBy(seen => (seen.Follower, seen.Agent));
        return [.. BlindProblems(evidence), .. followed.SelectMany(seen => Problems(seen.Key.Item1, [.. seen], evidence.Commits(seen.Key.Item2)))];
    }

    /// <summary>Who follows over a protocol that shows nothing at all sees nothing wrong either.</summary>
    private IEnumerable<Violation> BlindProblems(RunEvidence evidence)
    {
        long acknowledged = evidence.Of(Name).LongCount(call => call.Result.Answer is CommitAnswer);
        if (acknowledged < AcknowledgedLeast)
            yield break;
        foreach ((string protocol, long seen) in _seenOver.OrderBy(protocol => protocol.Key, StringComparer.Ordinal))
        {
            if (seen == 0)
                yield return Broken($"no follower over {protocol} saw any of {acknowledged} commits that were acknowledged");
        }
    }

    /// <summary>Seats get their protocols by turns; with this pattern each protocol both writes and follows.</summary>
    protected override Task RunAsync(WorkloadClient client) => client.Seat % 4 is 1 or 2 ? FollowAsync(client) : WriteAsync(client);

    private async Task WriteAsync(WorkloadClient client)
    {
        while (client.IsRunning)
        {
            AgentName agent = Agent(NextStep(), "f");
            Write[] writes = [.. Enumerable.Range(0, client.Random.Next(1, 4)).Select(i => new Write($"k{i}", Values.Of(client.Random, client.Token())))];
            if ((await client.CallAsync(new CommitCall([new Share(agent, writes)]))).Answer is CommitAnswer answer)
                _acknowledged.AddOrUpdate(agent, answer.Receipts[0].Version, (_, before) => Math.Max(before, answer.Receipts[0].Version));
        }
    }

    private async Task FollowAsync(WorkloadClient client)
    {
        string name = $"follower {client.Seat} ({client.Store.Protocol})";
        int generation = 0;
        long last = 0;
        while (client.IsRunning)
        {
            AgentName agent = Agent(generation, "f");
            // An agent that is no longer written is left once its last acknowledged commit was seen.
            if (generation < Generation && last >= _acknowledged.GetValueOrDefault(agent))
            {
                generation++;
                last = 0;
                continue;
            }
            last = await FollowAsync(client, name, agent, last);
            await client.ReconnectAsync();
            await client.WaitAsync(Rest);
        }
    }

    private async Task<long> FollowAsync(WorkloadClient client, string name, AgentName agent, long last)
    {
        using var stretch = CancellationTokenSource.CreateLinkedTokenSource(client.Ended);
        stretch.CancelAfter(StretchMax * client.Random.NextDouble());
        _seenOver.TryAdd(client.Store.Protocol, 0);
        var call = new FollowCall(agent, last);
        long began = client.Now;
        await foreach (FollowedCommit commit in client.Store.FollowAsync(agent, last, stretch.Token))
        {
            var seen = new SeenCommit(name, agent, commit.Version, commit.CommitTs, commit.Hash, client.Now);
            if (commit.Hash.Length > 0)
                client.Saw(seen);
            else
                _seenWithoutHash.Enqueue(seen);
            last = commit.Version;
            _seenOver.AddOrUpdate(client.Store.Protocol, 1, (_, before) => before + 1);
        }
        client.FollowEnded(call, began);
        return last;
    }

    private IEnumerable<Violation> Problems(string follower, SeenCommit[] seen, IReadOnlyList<JournaledCommit> commits)
    {
        Dictionary<long, JournaledCommit> byVersion = commits.ToDictionary(commit => commit.Version);
        for (int i = 0; i < seen.Length; i++)
        {
            SeenCommit one = seen[i];
            if (one.Version != i + 1)
            {
                yield return Broken($"{follower} saw version {one.Version} of {one.Agent} as commit {i + 1}: one is missing, doubled or out of order");
                yield break;
            }
            if (!byVersion.TryGetValue(one.Version, out JournaledCommit? commit))
                yield return Broken($"{follower} saw version {one.Version} of {one.Agent}, which the journal does not have");
            else if (commit.CommitTs != one.CommitTs || (one.Hash.Length > 0 && commit.Hash != one.Hash))
                yield return Broken($"{follower} saw version {one.Version} of {one.Agent} with commit_ts {one.CommitTs} and hash {one.Hash}; the journal has {commit.CommitTs} and {commit.Hash}");
        }
    }
}

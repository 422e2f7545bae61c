using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>
/// The feed is all journals merged in commit_ts order; each follower saw each commit of an agent once, in order, without a gap from the
/// first one on, as the journal has it, and none before it was asked for (I10).
/// </summary>
internal static class FeedRules
{
    public static void Check(RunEvidence evidence, EvidenceIndex index, Findings findings)
    {
        Feed(evidence, index, findings);
        foreach (IGrouping<string, SeenCommit> seen in evidence.Seen.GroupBy(commit => commit.Follower))
            Follower(seen.Key, [.. seen], index, findings);
    }

    private static void Feed(RunEvidence evidence, EvidenceIndex index, Findings findings)
    {
        var delivered = new HashSet<(AgentName, long)>();
        long last = 0;
        foreach (FeedEntry entry in evidence.Feed)
        {
            findings.Count(Rule.Feed);
            if (entry.CommitTs < last)
                findings.Broken(Rule.Feed, $"The feed goes from commit_ts {last} back to {entry.CommitTs} ({entry.Agent} version {entry.Version}).");
            last = entry.CommitTs;
            if (!delivered.Add((entry.Agent, entry.Version)))
                findings.Broken(Rule.Feed, $"The feed has {entry.Agent} version {entry.Version} twice.");
            JournaledCommit? commit = index.Agent(entry.Agent).At(entry.Version);
            if (commit is null || commit.CommitTs != entry.CommitTs || commit.Hash != entry.Hash)
                findings.Broken(Rule.Feed, $"The feed has {entry.Agent} version {entry.Version}, commit_ts {entry.CommitTs}, hash {entry.Hash}; the journal has {Name(commit)}.");
        }
        foreach (AgentIndex agent in index.Agents)
        {
            foreach (JournaledCommit commit in agent.Commits.Where(commit => !delivered.Contains((agent.Agent, commit.Version))))
                findings.Broken(Rule.Feed, $"The feed lacks {agent.Agent} version {commit.Version}, commit_ts {commit.CommitTs}.");
        }
    }

    private static void Follower(string follower, IReadOnlyList<SeenCommit> seen, EvidenceIndex index, Findings findings)
    {
        var last = new Dictionary<AgentName, long>();
        foreach (SeenCommit shown in seen)
        {
            findings.Count(Rule.Follower);
            if (last.TryGetValue(shown.Agent, out long before) && shown.Version != before + 1)
                findings.Broken(Rule.Follower, $"{follower} saw {shown.Agent} version {shown.Version} after version {before}: {Kind(shown.Version, before)}.");
            last[shown.Agent] = shown.Version;
            JournaledCommit? commit = index.Agent(shown.Agent).At(shown.Version);
            if (commit is null || commit.CommitTs != shown.CommitTs || (shown.Hash.Length > 0 && commit.Hash != shown.Hash))
                findings.Broken(Rule.Confirmed, $"{follower} saw {shown.Agent} version {shown.Version}, commit_ts {shown.CommitTs}, hash {shown.Hash}; the journal has {Name(commit)}.");
            else if (index.Transaction(shown.Agent, shown.Version)?.Attempt is { } attempt && attempt.InvokedAt > shown.SeenAt)
                findings.Broken(Rule.Confirmed, $"{follower} saw {shown.Agent} version {shown.Version} at {shown.SeenAt} µs, before it was asked for at {attempt.InvokedAt} µs.", attempt.Calls);
        }
    }

    private static string Kind(long version, long before) => version > before ? "a gap" : version == before ? "a repeat" : "out of order, or a repeat";

    private static string Name(JournaledCommit? commit) => commit is null ? "no such version" : $"commit_ts {commit.CommitTs}, hash {commit.Hash}";
}

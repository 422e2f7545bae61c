using Statehouse.Faults.History;
using Statehouse.Testing;

namespace Statehouse.Faults.Checker;

/// <summary>
/// What a journal must be by itself, whatever clients asked: versions without gap or repeat, commit_ts and time (I3), key versions
/// and the fold against the live state (I5), the hash chain (I11); and commit_ts and txn ids over all agents (I3).
/// </summary>
internal static class JournalRules
{
    /// <summary>Kind 0, agents: executions are no part of these histories.</summary>
    private const byte PlainAgent = 0;

    public static void Check(RunEvidence evidence, EvidenceIndex index, Findings findings)
    {
        foreach ((AgentName agent, AgentJournal journal) in evidence.Journals)
        {
            Order(agent, journal, findings);
            Chain(agent, journal, findings);
            KeyVersions(agent, journal, findings);
            LiveState(journal, index.Agent(agent), findings);
        }
        Transactions(index, findings);
    }

    private static void Order(AgentName agent, AgentJournal journal, Findings findings)
    {
        JournaledCommit? last = null;
        foreach (JournaledCommit commit in journal.Commits)
        {
            findings.Count(Rule.Ordered);
            long expected = (last?.Version ?? 0) + 1;
            if (commit.Version != expected)
                findings.Broken(Rule.Ordered, $"{agent}: after version {expected - 1} the journal has version {commit.Version}, not {expected}.");
            if (commit.CommitTs <= (last?.CommitTs ?? 0))
                findings.Broken(Rule.Ordered, $"{agent}: version {commit.Version} has commit_ts {commit.CommitTs}, not above the {last?.CommitTs ?? 0} of the version before.");
            if (last is not null && HashChain.Microseconds(commit.Time) < HashChain.Microseconds(last.Time))
                findings.Broken(Rule.Ordered, $"{agent}: version {commit.Version} has the time {commit.Time}, before the {last.Time} of the version before.");
            last = commit;
        }
    }

    private static void Chain(AgentName agent, AgentJournal journal, Findings findings)
    {
        string hash = HashChain.Genesis(PlainAgent, agent.Namespace, agent.Id);
        foreach (JournaledCommit commit in journal.Commits)
        {
            findings.Count(Rule.TamperEvident);
            hash = HashChain.Next(hash, commit.Version, commit.Time, commit.TxnId, commit.Body);
            if (hash == commit.Hash)
                continue;
            findings.Broken(Rule.TamperEvident, $"{agent}: version {commit.Version} has the hash {commit.Hash}; from the journal follows {hash}.");
            // Goes on from what stands there, so that one break is told once.
            hash = commit.Hash;
        }
        if (journal.Commits.Count > 0 && journal.HeadHash != journal.Commits[^1].Hash)
            findings.Broken(Rule.TamperEvident, $"{agent}: the head's hash is {journal.HeadHash}, the last commit's {journal.Commits[^1].Hash}.");
    }

    private static void KeyVersions(AgentName agent, AgentJournal journal, Findings findings)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (JournaledCommit commit in journal.Commits)
        {
            foreach (JournaledOperation operation in commit.Operations)
            {
                long expected = counts[operation.Key] = counts.GetValueOrDefault(operation.Key) + 1;
                if (operation.KeyVersion != expected)
                    findings.Broken(Rule.Deterministic, $"{agent}: version {commit.Version} makes version {operation.KeyVersion} of {operation.Key}; counted it is {expected}.");
            }
        }
    }

    private static void LiveState(AgentJournal journal, AgentIndex index, Findings findings)
    {
        findings.Count(Rule.Deterministic);
        ScanAnswer live = journal.State;
        if (live.AgentVersion != index.LastVersion)
            findings.Broken(Rule.Deterministic, $"{journal.Agent}: the live state is at version {live.AgentVersion}, the journal ends at {index.LastVersion}.");
        string? difference = Scans.Difference(index.ScanAt("", index.LastVersion), live.Items, "http");
        if (difference is not null)
            findings.Broken(Rule.Deterministic, $"{journal.Agent}: the live state is not the fold of the journal up to version {index.LastVersion}: {difference}.");
    }

    private static void Transactions(EvidenceIndex index, Findings findings)
    {
        var positions = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (IGrouping<long, JournaledTransaction> same in index.Transactions.GroupBy(transaction => transaction.CommitTs))
        {
            findings.Count(Rule.Ordered);
            if (same.Count() > 1)
                findings.Broken(Rule.Ordered, $"commit_ts {same.Key} is shared by the transactions {string.Join(", ", same)}.");
            foreach (JournaledTransaction transaction in same)
            {
                if (!positions.TryAdd(transaction.TxnId, same.Key))
                    findings.Broken(Rule.Ordered, $"Transaction {transaction} also has commit_ts {positions[transaction.TxnId]}.");
                if (transaction.Parts.Select(part => part.Agent).Distinct().Count() < transaction.Parts.Count)
                    findings.Broken(Rule.Ordered, $"Transaction {transaction} has two commits on one agent.");
            }
        }
    }
}

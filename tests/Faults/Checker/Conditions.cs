using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>Whether <c>if_version</c> and <c>if_agent_version</c> held just before a commit, as the journal tells it (I4).</summary>
internal static class Conditions
{
    public static bool Has(IReadOnlyList<Share> shares) =>
        shares.Any(share => share.IfAgentVersion is not null || share.Writes.Any(write => write.IfVersion is not null));

    /// <returns>The first condition that did not hold, in words; null = all held.</returns>
    public static string? Failed(IReadOnlyList<Share> shares, JournaledTransaction transaction, EvidenceIndex index)
    {
        foreach (Share share in shares)
        {
            foreach ((AgentName agent, JournaledCommit commit) in transaction.Parts.Where(part => part.Agent == share.Agent))
            {
                if (share.IfAgentVersion is { } expected && expected != commit.Version - 1)
                    return $"{agent} had to be at version {expected}, and was at {commit.Version - 1}";
                if (FailedWrite(share, index.Agent(agent), commit.Version - 1) is { } failed)
                    return failed;
            }
        }
        return null;
    }

    private static string? FailedWrite(Share share, AgentIndex agent, long versionBefore)
    {
        // Operations of one commit see what those before them did.
        var now = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (Write write in share.Writes)
        {
            long version = now.TryGetValue(write.Key, out long made) ? made : agent.KeyAt(write.Key, versionBefore).KeyVersion;
            if (write.IfVersion is { } expected && expected != version)
                return $"{write.Key} of {agent.Agent} had to be at version {expected}, and was at {version}";
            now[write.Key] = version + 1;
        }
        return null;
    }
}

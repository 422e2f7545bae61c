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
                if (Failed(share, index.Agent(agent), commit.Version - 1) is { } failed)
                    return failed;
            }
        }
        return null;
    }

    /// <param name="share">What was asked of one agent.</param>
    /// <param name="agent">Its journal.</param>
    /// <param name="versionBefore">The version that the agent was at.</param>
    /// <returns>The first condition that does not hold there, in words; null = all hold.</returns>
    public static string? Failed(Share share, AgentIndex agent, long versionBefore) =>
        share.IfAgentVersion is { } expected && expected != versionBefore
            ? $"{agent.Agent} had to be at version {expected}, and was at {versionBefore}"
            : FailedWrite(share, agent, versionBefore);

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

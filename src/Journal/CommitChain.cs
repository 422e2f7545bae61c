namespace Statehouse.Journal;

/// <summary>The check that every reader of commits makes: what a store hands out is what was written (I11).</summary>
public static class CommitChain
{
    /// <param name="agent">Whose commit.</param>
    /// <param name="firstKept">The oldest version that is kept: it alone, where it is not version 1, cannot be checked.</param>
    /// <param name="previous">The stored hash of the version before; null = that one is not stored. Version 1 needs none.</param>
    /// <param name="commit">As it was read.</param>
    /// <exception cref="InvariantBrokenException">SH-9001. It does not follow on that one, or is not what was written.</exception>
    public static void Check(AgentId agent, AgentVersion firstKept, CommitHash? previous, JournalCommit commit)
    {
        CommitHash before;
        if (commit.Version.Value == 1)
            before = CommitHash.Genesis(agent);
        else if (previous is { } known)
            before = known;
        else if (commit.Version <= firstKept)
            return;
        else
            throw Broken(agent, new AgentVersion(commit.Version.Value - 1), $"Commit {commit.Version.Value - 1} of {agent} is missing from the journal.");
        if (CommitHash.Chain(before, commit.Version, commit.Time, commit.TxnId, commit.Body.Span) != commit.Hash)
            throw Broken(agent, commit.Version, $"Version {commit.Version} of {agent} does not match its hash: the journal was damaged or changed.");
    }

    /// <summary>SH-9001 that names the agent and the version in its details, so that a program can tell where the damage is.</summary>
    public static InvariantBrokenException Broken(AgentId agent, AgentVersion version, string message) => new(message)
    {
        Details = new Dictionary<string, string>
        {
            ["namespace"] = agent.Namespace, ["agent"] = agent.Name, ["agent_version"] = version.ToString(),
        },
    };

    /// <summary>The same SH-9001, met while the feed was read: its details name the transaction too.</summary>
    /// <param name="broken">What is wrong.</param>
    /// <param name="agent">Whose commit it was met at; null = nobody's.</param>
    /// <param name="version">Of that commit; details that name a version already stay.</param>
    /// <param name="commitTs">Of that commit.</param>
    public static InvariantBrokenException InFeed(
        InvariantBrokenException broken, AgentId? agent, AgentVersion version, CommitTs commitTs)
    {
        var details = new Dictionary<string, string>(
            broken.Details.Count == 0 && agent is not null ? Broken(agent, version, broken.Message).Details : broken.Details)
        {
            ["commit_ts"] = commitTs.ToString(),
        };
        return new InvariantBrokenException(broken.Message, broken) { Details = details, FeedDamage = commitTs };
    }
}

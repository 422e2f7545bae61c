using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>The journals of a run by agent and by transaction, and what clients asked to be written.</summary>
internal sealed class EvidenceIndex
{
    private readonly Dictionary<AgentName, AgentIndex> _agents = [];
    private readonly Dictionary<(AgentName Agent, long Version), JournaledTransaction> _byCommit = [];

    public EvidenceIndex(RunEvidence evidence)
    {
        var transactions = new Dictionary<(long CommitTs, string TxnId), JournaledTransaction>();
        foreach ((AgentName agent, AgentJournal journal) in evidence.Journals)
        {
            _agents.Add(agent, new AgentIndex(agent, journal.Commits));
            foreach (JournaledCommit commit in journal.Commits)
            {
                if (!transactions.TryGetValue((commit.CommitTs, commit.TxnId), out JournaledTransaction? transaction))
                    transactions.Add((commit.CommitTs, commit.TxnId), transaction = new JournaledTransaction(commit.CommitTs, commit.TxnId));
                transaction.Parts.Add((agent, commit));
                _byCommit.TryAdd((agent, commit.Version), transaction);
            }
        }
        Transactions = [.. transactions.Values.OrderBy(transaction => transaction.CommitTs)];
        Attempts = Attempt.Gather(evidence.Calls);
    }

    /// <summary>All that is in the journals, by commit_ts.</summary>
    public IReadOnlyList<JournaledTransaction> Transactions { get; }

    /// <summary>All that clients tried to write.</summary>
    public IReadOnlyList<Attempt> Attempts { get; }

    public IEnumerable<AgentIndex> Agents => _agents.Values;

    /// <returns>Empty where the agent has no journal.</returns>
    public AgentIndex Agent(AgentName agent)
    {
        if (!_agents.TryGetValue(agent, out AgentIndex? index))
            _agents.Add(agent, index = new AgentIndex(agent, []));
        return index;
    }

    /// <returns>Null where the agent's journal has no such version.</returns>
    public JournaledTransaction? Transaction(AgentName agent, long version) => _byCommit.GetValueOrDefault((agent, version));
}

/// <summary>Commits of one or several agents that share a commit_ts and a txn id.</summary>
internal sealed class JournaledTransaction(long commitTs, string txnId)
{
    public long CommitTs { get; } = commitTs;

    public string TxnId { get; } = txnId;

    public List<(AgentName Agent, JournaledCommit Commit)> Parts { get; } = [];

    /// <summary>Who asked for it; null until that is known.</summary>
    public Attempt? Attempt { get; set; }

    public override string ToString() => $"{TxnId} at commit_ts {CommitTs} ({string.Join(", ", Parts.Select(part => $"{part.Agent} version {part.Commit.Version}"))})";
}

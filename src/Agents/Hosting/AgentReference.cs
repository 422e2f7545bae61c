using System.Runtime.CompilerServices;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>What callers hold: finds the agent in memory at each call, so that it may leave and come back between two.</summary>
internal sealed class AgentReference(LocalAgents agents, AgentId agent, Limits limits) : IAgentState
{
    public ValueTask<AgentHead> GetHeadAsync(Consistency consistency, CancellationToken cancellationToken) =>
        agents.Resident(agent).GetHeadAsync(consistency, cancellationToken);

    public ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken)
    {
        CommitRules.CheckKey(request.Key, "key", limits);
        return agents.Resident(agent).GetAsync(request, cancellationToken);
    }

    public ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken)
    {
        CommitRules.CheckPageLimit(request.Limit, limits);
        return agents.Resident(agent).ScanAsync(request, cancellationToken);
    }

    public async ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        CommitRules.Check(request, limits);
        while (true)
        {
            if (await agents.Resident(agent).TryCommitAsync(request, cancellationToken).ConfigureAwait(false) is { } receipt)
                return receipt;
            // It was leaving memory just then; the sweeper is about to take it out of the table.
            await Task.Yield();
        }
    }

    public ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken)
    {
        CommitRules.CheckPageLimit(request.Limit, limits);
        return agents.Resident(agent).GetCommitsAsync(request, cancellationToken);
    }

    public ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken) =>
        agents.Resident(agent).GetCommitAsync(version, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayAsync(AgentVersion from, bool follow, CancellationToken cancellationToken) =>
        follow ? FollowAsync(from, cancellationToken) : agents.Resident(agent).ReplayAsync(from, follow: false, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayRangeAsync(CommitTs from, CommitTs to, CancellationToken cancellationToken) =>
        agents.Resident(agent).ReplayRangeAsync(from, to, cancellationToken);

    private async IAsyncEnumerable<JournalCommit> FollowAsync(AgentVersion from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LocalAgent followed = agents.Resident(agent);
        while (!followed.TryAddFollower())
        {
            await Task.Yield();
            followed = agents.Resident(agent);
        }
        try
        {
            await foreach (JournalCommit commit in followed.ReplayAsync(from, follow: true, cancellationToken).ConfigureAwait(false))
                yield return commit;
        }
        finally
        {
            followed.RemoveFollower();
        }
    }
}

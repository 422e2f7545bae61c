using System.Runtime.CompilerServices;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>What callers hold: finds the agent in memory at each call, so that it may leave and come back between two.</summary>
/// <param name="residents">Who finds it.</param>
/// <param name="agent">Which agent.</param>
/// <param name="limits">What requests may hold.</param>
public sealed class AgentReference(IResidentAgents residents, AgentId agent, Limits limits) : IAgentState
{
    public ValueTask<AgentHead> GetHeadAsync(Consistency consistency, CancellationToken cancellationToken) =>
        Find().GetHeadAsync(consistency, cancellationToken);

    public ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken)
    {
        CommitRules.CheckKey(request.Key, "key", limits);
        return Find().GetAsync(request, cancellationToken);
    }

    public ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken)
    {
        CommitRules.CheckPageLimit(request.Limit, limits);
        return Find().ScanAsync(request, cancellationToken);
    }

    public async ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        CommitRules.Check(request, limits);
        ResidentAgent resident = Find();
        Proposal proposal = resident.TryPropose(request);
        if (proposal.Pending is not { } pending)
            return await CommitSlowlyAsync(resident, request, proposal, cancellationToken).ConfigureAwait(false);
        if (await pending.WaitAsync(cancellationToken).ConfigureAwait(false) == AppendEnd.Shown)
            return pending.Commit.ToReceipt();
        return await CommitSlowlyAsync(resident, request, new Proposal { Pending = pending }, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken)
    {
        CommitRules.CheckPageLimit(request.Limit, limits);
        return Find().GetCommitsAsync(request, cancellationToken);
    }

    public ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken) =>
        Find().GetCommitAsync(version, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayAsync(AgentVersion from, bool follow, CancellationToken cancellationToken) =>
        follow ? FollowAsync(from, cancellationToken) : Find().ReplayAsync(from, follow: false, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayRangeAsync(CommitTs from, CommitTs to, CancellationToken cancellationToken) =>
        Find().ReplayRangeAsync(from, to, cancellationToken);

    /// <summary>What few commits come to; apart, so that the others allocate nothing for it.</summary>
    private async ValueTask<CommitReceipt> CommitSlowlyAsync(
        ResidentAgent resident, CommitRequest request, Proposal proposal, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await resident.TryCommitAsync(request, proposal, cancellationToken).ConfigureAwait(false) is { } receipt)
                return receipt;
            // It was leaving memory just then; the sweeper is about to take it out of the table.
            await Task.Yield();
            resident = Find();
            proposal = default;
        }
    }

    private async IAsyncEnumerable<JournalCommit> FollowAsync(AgentVersion from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ResidentAgent followed = Find();
        while (!followed.TryAddFollower())
        {
            await Task.Yield();
            followed = Find();
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

    private ResidentAgent Find() => residents.Find(agent);
}

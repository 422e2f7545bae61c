using System.Runtime.CompilerServices;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>What callers hold: finds the agent in memory at each call, so that it may leave and come back between two.</summary>
/// <param name="find">The agent as it is in memory now; loads nothing.</param>
/// <param name="limits">What requests may hold.</param>
public sealed class AgentReference(Func<ResidentAgent> find, Limits limits) : IAgentState
{
    public ValueTask<AgentHead> GetHeadAsync(Consistency consistency, CancellationToken cancellationToken) =>
        find().GetHeadAsync(consistency, cancellationToken);

    public ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken)
    {
        CommitRules.CheckKey(request.Key, "key", limits);
        return find().GetAsync(request, cancellationToken);
    }

    public ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken)
    {
        CommitRules.CheckPageLimit(request.Limit, limits);
        return find().ScanAsync(request, cancellationToken);
    }

    public async ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        CommitRules.Check(request, limits);
        while (true)
        {
            if (await find().TryCommitAsync(request, cancellationToken).ConfigureAwait(false) is { } receipt)
                return receipt;
            // It was leaving memory just then; the sweeper is about to take it out of the table.
            await Task.Yield();
        }
    }

    public ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken)
    {
        CommitRules.CheckPageLimit(request.Limit, limits);
        return find().GetCommitsAsync(request, cancellationToken);
    }

    public ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken) =>
        find().GetCommitAsync(version, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayAsync(AgentVersion from, bool follow, CancellationToken cancellationToken) =>
        follow ? FollowAsync(from, cancellationToken) : find().ReplayAsync(from, follow: false, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayRangeAsync(CommitTs from, CommitTs to, CancellationToken cancellationToken) =>
        find().ReplayRangeAsync(from, to, cancellationToken);

    private async IAsyncEnumerable<JournalCommit> FollowAsync(AgentVersion from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ResidentAgent followed = find();
        while (!followed.TryAddFollower())
        {
            await Task.Yield();
            followed = find();
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

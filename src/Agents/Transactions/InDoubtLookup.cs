using System.Collections.Immutable;
using Statehouse.Agents.Codec;
using Statehouse.Journal;

namespace Statehouse.Agents.Transactions;

/// <summary>
/// Finds out what became of a commit whose outcome was unknown (SH-2002) when its caller tries again: the agents'
/// journals are read back to the moment the transaction began.
/// </summary>
internal static class InDoubtLookup
{
    private const int PageCommits = 100;

    // The commit's time may come from another machine's clock; so far behind ours it still counts.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    /// <returns>What was committed; null where nothing was. It went in on all agents or on none, so the first one tells.</returns>
    public static async Task<ImmutableArray<TransactionCommit>?> FindAsync(
        IAgents agents, Guid txnId, CommitTime began, AgentShare[] shares, CancellationToken cancellationToken)
    {
        CommitTime oldest = CommitTime.From(began.ToDateTimeOffset() - ClockSkew);
        ImmutableArray<TransactionCommit>.Builder commits = ImmutableArray.CreateBuilder<TransactionCommit>(shares.Length);
        foreach (AgentShare share in shares)
        {
            JournalCommit? found = await FindInAsync(agents.Get(share.Agent), txnId, oldest, cancellationToken).ConfigureAwait(false);
            if (found is null)
            {
                return commits.Count == 0
                    ? null
                    : throw new InvariantBrokenException($"Transaction {txnId} is in the journal of {shares[0].Agent} but not in that of {share.Agent}.");
            }
            commits.Add(new TransactionCommit(share.Agent, CommitBodyCodec.Decode(found).ToReceipt()));
        }
        return commits.MoveToImmutable();
    }

    private static async Task<JournalCommit?> FindInAsync(IAgentState agent, Guid txnId, CommitTime oldest, CancellationToken cancellationToken)
    {
        AgentVersion to;
        try
        {
            to = (await agent.GetHeadAsync(Consistency.Strong, cancellationToken).ConfigureAwait(false)).Version;
        }
        catch (RefusedException refusal) when (refusal.Code == ErrorCode.NotFound)
        {
            return null;
        }
        while (to > AgentVersion.None)
        {
            HistoryPage page = await agent.GetCommitsAsync(
                new HistoryRequest(AgentVersion.None, to, PageCommits, NewestFirst: true), cancellationToken).ConfigureAwait(false);
            foreach (JournalCommit commit in page.Commits)
            {
                if (commit.TxnId == txnId)
                    return commit;
                if (commit.Time < oldest)
                    return null;
                to = new AgentVersion(commit.Version.Value - 1);
            }
        }
        return null;
    }
}

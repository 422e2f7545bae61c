using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// All agents of a cluster, as a gateway sees them: calls go to the agents' grains; lists, the feed and long histories
/// are read from the shared store without passing through a silo.
/// </summary>
/// <param name="grains">A cluster client, or a silo's own factory.</param>
/// <param name="store">The cluster's store; only read. Stays the caller's to dispose.</param>
/// <param name="limits">What requests may hold; the silos check their own again.</param>
/// <param name="clock">For waiting.</param>
/// <param name="log">Hears what an operator should know.</param>
public sealed class ClusterAgents(IGrainFactory grains, IJournalStore store, Limits limits, TimeProvider clock, IOperatorLog log) : IAgents
{
    // A gateway does not see the silos' commits; it looks as often as another process on a shared store would.
    private static readonly TimeSpan FeedPollEvery = new LocalAgentsOptions().ForeignPollEvery;

    private readonly AgentGrains _agents = new(grains);
    private readonly StoreReads _reads = new(store, limits);

    public IAgentState Get(AgentId agent)
    {
        CommitRules.CheckAgent(agent, limits);
        return new ClusterAgent(_agents, store, agent, clock, log);
    }

    public ValueTask<AgentPage> ListAsync(
        string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken) =>
        _reads.ListAsync(@namespace, prefix, afterExclusive, limit, cancellationToken);

    public async ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken)
    {
        CommitRules.CheckTogether(commits, limits);
        if (commits.Length == 1)
            return [await Get(commits[0].Agent).CommitAsync(commits[0].Commit, cancellationToken).ConfigureAwait(false)];
        try
        {
            return await grains.GetGrain<ITransactionGrain>(0).CommitTogetherAsync(commits, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (ClusterFaults.IsFault(error, cancellationToken))
        {
            await new NextSilo(_agents, clock).AwaitAllAsync(commits.Select(each => each.Agent), cancellationToken).ConfigureAwait(false);
            throw ClusterFaults.OutcomeUnknown($"the coordinator of a transaction over {commits.Length} agents", error);
        }
    }

    public ValueTask<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken) =>
        _reads.ReadFeedAsync(afterExclusive, limit, @namespace, cancellationToken);

    public async ValueTask WaitForFeedAsync(CommitTs afterExclusive, CancellationToken cancellationToken) =>
        await Task.Delay(FeedPollEvery, clock, cancellationToken).ConfigureAwait(false);

    public async ValueTask PingAsync(CancellationToken cancellationToken) =>
        await store.PingAsync(cancellationToken).ConfigureAwait(false);
}

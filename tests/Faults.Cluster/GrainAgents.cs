using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Grains;
using Statehouse.Journal;

namespace Statehouse.Faults.Cluster;

/// <summary>Agents as an Orleans client has them, without a gateway's door: what interactive transactions need, and no more.</summary>
internal sealed class GrainAgents(IClusterClient cluster) : IAgents
{
    public IAgentState Get(AgentId agent) => cluster.GetGrain<IAgentStateGrain>(AgentGrainKey.Of(agent));

    public async ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken) =>
        commits is [AgentCommitRequest only]
            ? [await Get(only.Agent).CommitAsync(only.Commit, cancellationToken)]
            : await cluster.GetGrain<ITransactionGrain>(0).CommitTogetherAsync(commits, cancellationToken);

    public ValueTask<AgentPage> ListAsync(string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Lists are read from the store.");

    public ValueTask<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken) =>
        throw new NotSupportedException("The feed is read from the store.");

    public ValueTask WaitForFeedAsync(CommitTs afterExclusive, CancellationToken cancellationToken) =>
        throw new NotSupportedException("The feed is read from the store.");

    public ValueTask PingAsync(CancellationToken cancellationToken) => throw new NotSupportedException("The store is pinged by those who have it.");
}

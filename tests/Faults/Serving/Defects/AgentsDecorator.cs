using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Faults.Serving.Defects;

/// <summary>Passes every call on to all agents; what is overridden is the defect.</summary>
internal abstract class AgentsDecorator(IAgents inner) : IAgents
{
    public virtual IAgentState Get(AgentId agent) => inner.Get(agent);

    public ValueTask<AgentPage> ListAsync(
        string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken) =>
        inner.ListAsync(@namespace, prefix, afterExclusive, limit, cancellationToken);

    public virtual ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken) =>
        inner.CommitTogetherAsync(commits, cancellationToken);

    public virtual ValueTask<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken) =>
        inner.ReadFeedAsync(afterExclusive, limit, @namespace, cancellationToken);

    public ValueTask WaitForFeedAsync(CommitTs afterExclusive, CancellationToken cancellationToken) =>
        inner.WaitForFeedAsync(afterExclusive, cancellationToken);

    public ValueTask PingAsync(CancellationToken cancellationToken) => inner.PingAsync(cancellationToken);
}

/// <summary>Passes every call on to one agent; what is overridden is the defect.</summary>
internal abstract class AgentDecorator(IAgentState inner) : IAgentState
{
    protected IAgentState Inner => inner;

    public ValueTask<AgentHead> GetHeadAsync(Consistency consistency, CancellationToken cancellationToken) => inner.GetHeadAsync(consistency, cancellationToken);

    public virtual ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken) => inner.GetAsync(request, cancellationToken);

    public virtual ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken) => inner.ScanAsync(request, cancellationToken);

    public virtual ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken) => inner.CommitAsync(request, cancellationToken);

    public ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken) => inner.GetCommitsAsync(request, cancellationToken);

    public ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken) => inner.GetCommitAsync(version, cancellationToken);

    public virtual IAsyncEnumerable<JournalCommit> ReplayAsync(AgentVersion from, bool follow, CancellationToken cancellationToken) =>
        inner.ReplayAsync(from, follow, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayRangeAsync(CommitTs from, CommitTs to, CancellationToken cancellationToken) =>
        inner.ReplayRangeAsync(from, to, cancellationToken);
}

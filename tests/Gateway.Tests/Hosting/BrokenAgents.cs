using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway.Tests.Hosting;

/// <summary>Agents behind which everything fails in one way.</summary>
/// <param name="error">Thrown by every member; null = it never answers.</param>
internal sealed class BrokenAgents(Exception? error) : IAgents
{
    public IAgentState Get(AgentId agent) => throw (error ?? new InvalidOperationException("Get answers at once."));

    public ValueTask<AgentPage> ListAsync(string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken) =>
        Broken<AgentPage>();

    public ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken) =>
        Broken<ImmutableArray<CommitReceipt>>();

    public ValueTask<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken) =>
        Broken<FeedPage>();

    public async ValueTask WaitForFeedAsync(CommitTs afterExclusive, CancellationToken cancellationToken) => await Broken<bool>();

    public async ValueTask PingAsync(CancellationToken cancellationToken) => await Broken<bool>();

    /// <summary>Heeds no token: a journal that hangs need not.</summary>
    private async ValueTask<T> Broken<T>() =>
        error is null ? await new TaskCompletionSource<T>().Task : throw error;
}

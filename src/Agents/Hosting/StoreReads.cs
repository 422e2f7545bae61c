using System.Runtime.CompilerServices;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>What is read from the store as it stands there, whoever hosts the agents.</summary>
public sealed class StoreReads(IJournalStore store, Limits limits)
{
    /// <inheritdoc cref="IAgents.ListAsync"/>
    public async ValueTask<AgentPage> ListAsync(
        string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken)
    {
        CommitRules.CheckNamespace(@namespace, limits);
        CommitRules.CheckPageLimit(limit, limits);
        // One more than asked for tells whether there are more.
        IReadOnlyList<JournalHead> heads = await store.ListAgentsAsync(
            AgentKind.Agent, @namespace, prefix, afterExclusive, limit + 1, cancellationToken).ConfigureAwait(false);
        return new AgentPage([.. heads.Take(limit)], heads.Count > limit);
    }

    /// <inheritdoc cref="IAgents.ReadFeedAsync"/>
    public async ValueTask<FeedPage> ReadFeedAsync(
        CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken)
    {
        CommitRules.CheckPageLimit(limit, limits);
        if (@namespace is not null)
            CommitRules.CheckNamespace(@namespace, limits);
        FeedPage page = await store.ReadFeedAsync(afterExclusive, limit, @namespace, cancellationToken).ConfigureAwait(false);
        return page.Commits.All(item => item.Commit.Detail.IsEmpty) ? page : page with { Commits = [.. page.Commits.Select(WithoutDetail)] };
    }

    /// <summary>The feed tells what was written when; a detail is of use only to whoever has the state before it.</summary>
    private static FeedCommit WithoutDetail(FeedCommit item) =>
        item with { Commit = item.Commit with { Body = item.Commit.Canonical } };

    /// <summary>The commits of one agent whose commit_ts lies in an inclusive range, up to the head that is shown.</summary>
    public static async IAsyncEnumerable<JournalCommit> ReplayRangeAsync(
        IJournalStore store, JournalHandle handle, AgentVersion headVersion, CommitTs headTs, CommitTs from, CommitTs to,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        AgentVersion before = from.Value <= 1
            ? AgentVersion.None
            : await store.FindVersionAtTsAsync(handle, new CommitTs(from.Value - 1), cancellationToken).ConfigureAwait(false);
        AgentVersion last = to >= headTs
            ? headVersion
            : await store.FindVersionAtTsAsync(handle, to, cancellationToken).ConfigureAwait(false);
        if (last > headVersion)
            last = headVersion;
        if (before >= last)
            yield break;
        await foreach (JournalCommit commit in store.ReadForwardAsync(handle, before.Next, last, cancellationToken).ConfigureAwait(false))
            yield return commit;
    }
}

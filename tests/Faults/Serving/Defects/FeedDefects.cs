using Statehouse.Journal;

namespace Statehouse.Faults.Serving.Defects;

/// <summary>
/// Pages of the feed go past transactions that become visible only later, as they would without the wait for older ones that are still
/// open. By then the feed is whole: only who read it meanwhile has missed them.
/// </summary>
internal sealed class LateFeedStore(IJournalStore inner) : StoreDecorator(inner)
{
    private const int Every = 20;
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    public override async Task<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken)
    {
        FeedPage page = await base.ReadFeedAsync(afterExclusive, limit, @namespace, cancellationToken);
        CommitTime visible = CommitTime.From(TimeProvider.System.GetUtcNow() - Late);
        return page with { Commits = [.. page.Commits.Where(each => each.Commit.CommitTs.Value % Every != 0 || each.Commit.Time < visible)] };
    }
}

using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>
/// Reads the feed from a position that a client brought, and refuses one that this feed never gave out: a client from
/// before a restored backup must start anew, rather than wait in silence until other commits have its numbers.
/// </summary>
/// <remarks>Every position that is given out is one that a durable commit carries (<see cref="IJournalStore.ReadFeedEndAsync"/>).</remarks>
internal sealed class FeedEntry(IAgents agents, TimeProvider clock)
{
    // A receipt's commit_ts may be ahead of the feed, which waits for older transactions of other processes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <param name="field">Where the position came from.</param>
    /// <param name="after">The position.</param>
    /// <param name="limit">Commits wanted.</param>
    /// <param name="namespace">Only this one; null = all.</param>
    /// <param name="cancellationToken">The client has gone.</param>
    /// <exception cref="RefusedException">SH-1003. The position is beyond the feed's end.</exception>
    public async ValueTask<FeedPage> FirstPageAsync(
        string field, FeedCursor after, int limit, string? @namespace, CancellationToken cancellationToken)
    {
        long started = clock.GetTimestamp();
        while (true)
        {
            FeedPage page = await agents.ReadFeedAsync(after.ReadAfter, limit, @namespace, cancellationToken);
            if (page.Through > after.ReadAfter || !page.AtEnd || await WasGivenOutAsync(after.CommitTs, cancellationToken))
                return page;
            if (clock.GetElapsedTime(started) >= Patience)
                throw RefusedException.Invalid(field, "a position at or before the feed's end", $"{after.CommitTs}, beyond it");
            await agents.WaitForFeedAsync(after.ReadAfter, cancellationToken);
        }
    }

    private async ValueTask<bool> WasGivenOutAsync(CommitTs position, CancellationToken cancellationToken)
    {
        if (position == CommitTs.None)
            return true;
        try
        {
            FeedPage fromIt = await agents.ReadFeedAsync(new CommitTs(position.Value - 1), 1, null, cancellationToken);
            return fromIt.Commits.Count > 0;
        }
        catch (InvariantBrokenException error) when (error.FeedDamage is not null)
        {
            // What stands there is damaged, and the client was told so: it goes on behind it.
            return true;
        }
    }
}

using Statehouse.Faults.Checker;

namespace Statehouse.Faults.Clients;

/// <summary>A client whose protocol has the feed.</summary>
public interface IFeedClient
{
    /// <summary>Reads one page.</summary>
    /// <param name="after">A position that was told; <c>0</c> = from the start.</param>
    /// <param name="limit">Commits wanted, 1 to 1,000; a page may hold more, so that it splits no transaction.</param>
    /// <param name="cancellationToken">Gives up: code <c>timeout</c>, not an exception.</param>
    Task<FeedReply> ReadFeedAsync(string after, int limit, CancellationToken cancellationToken);

    /// <summary>Follows the feed until cancelled or until the connection ends.</summary>
    /// <param name="after">As above; also <c>17.2</c>, inside of a transaction.</param>
    /// <param name="cancellationToken">Ends it without an exception.</param>
    /// <returns>Each commit with the position behind it.</returns>
    IAsyncEnumerable<(string Position, FeedEntry Entry)> FollowFeedAsync(string after, CancellationToken cancellationToken);
}

/// <param name="Entries">Of the page, in its order; empty where there was none.</param>
/// <param name="Through">Where to go on; null = there was no page.</param>
/// <param name="HasMore">More is there already.</param>
/// <param name="Code">Why there was no page: SH-nnnn or the transport's word; null = there was one.</param>
public sealed record FeedReply(IReadOnlyList<FeedEntry> Entries, string? Through, bool HasMore, string? Code);

using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>The feed as server-sent events: replays from a position, then follows. Ids: <see cref="PlacedCommit.EventId"/>.</summary>
internal sealed class FeedStream(IAgents agents, FeedEntry entry, StreamHost host, Limits limits)
{
    public async ValueTask SendAsync(Call call)
    {
        if (call.Query.Has("limit"))
            throw RefusedException.Invalid("limit", "absent from an event stream", "given");
        string? lastEventId = LastEventId.Of(call.Http.Request);
        string field = lastEventId is null ? "after" : LastEventId.Header;
        FeedCursor after = FeedCursor.Parse(field, lastEventId ?? call.Query.Text("after"));
        string? @namespace = call.Query.Text("namespace");
        // The first page is read before the headers go, so that what is wrong with it is a plain error.
        FeedPage first = await entry.FirstPageAsync(field, after, limits.PageDefault, @namespace, call.Gone);
        await host.RunAsync(call, (stream, data, ending) => FollowAsync(first, after, @namespace, stream, data, ending));
    }

    private async Task FollowAsync(
        FeedPage page, FeedCursor after, string? @namespace, EventStream stream, JsonBuffer data, CancellationToken ending)
    {
        while (true)
        {
            foreach (PlacedCommit placed in FeedCursor.Place(page.Commits))
            {
                if (!after.IsBefore(placed))
                    continue;
                WireJson.FeedItem(data, placed.Item);
                await stream.WriteAsync(placed.EventId, ending);
            }
            after = new FeedCursor(page.Through, null);
            page = await stream.AwaitAsync(NextAsync(page, @namespace, ending), ending);
        }
    }

    /// <summary>The next page that holds something, or that moves the position at all.</summary>
    private async ValueTask<FeedPage> NextAsync(FeedPage page, string? @namespace, CancellationToken ending)
    {
        do
        {
            if (page.AtEnd)
                await agents.WaitForFeedAsync(page.Through, ending);
            page = await agents.ReadFeedAsync(page.Through, limits.PageDefault, @namespace, ending);
        }
        while (page.Commits.Count == 0);
        return page;
    }
}

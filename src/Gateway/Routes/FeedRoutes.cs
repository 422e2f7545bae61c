using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>The feed: the commits of all agents in commit_ts order.</summary>
internal sealed class FeedRoutes(FeedEntry entry, FeedStream stream, Limits limits)
{
    public IEnumerable<ApiRoute> Routes =>
    [
        new("GET", "/v1/feed", ListAsync, "after", "limit", "namespace"),
    ];

    private async ValueTask ListAsync(Call call)
    {
        if (call.WantsEventStream)
        {
            await stream.SendAsync(call);
            return;
        }
        FeedCursor after = FeedCursor.Parse("after", call.Query.Text("after"));
        FeedPage page = await entry.FirstPageAsync(
            "after", after, call.Query.Limit(limits), call.Query.Text("namespace"), call.Gone);
        await SendPageAsync(call, page, after);
    }

    private static async ValueTask SendPageAsync(Call call, FeedPage page, FeedCursor after)
    {
        call.Json.Raw("{\"items\":["u8);
        bool first = true;
        foreach (PlacedCommit placed in FeedCursor.Place(page.Commits))
        {
            if (!after.IsBefore(placed))
                continue;
            if (!first)
                call.Json.Raw(","u8);
            first = false;
            WireJson.FeedItem(call.Json, placed.Item);
            await call.SendIfMuchAsync();
        }
        call.Json.Raw("],\"through\":"u8).Number(page.Through.Value);
        if (!page.AtEnd)
            call.Json.Raw(",\"next\":\""u8).Number(page.Through.Value).Raw("\""u8);
        call.Json.Raw("}"u8);
        await call.ReplyAsync();
    }
}

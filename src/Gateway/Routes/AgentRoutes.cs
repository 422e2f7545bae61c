using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Which agents there are, and where one stands.</summary>
internal sealed class AgentRoutes(IAgents agents, Limits limits)
{
    private const string All = "/v1/namespaces/{ns}/agents";
    private const string One = All + "/{agent}";

    public IEnumerable<ApiRoute> Routes =>
    [
        new("GET", All, ListAsync, "prefix", "after", "limit"),
        new("GET", One, HeadAsync, "consistency"),
    ];

    private async ValueTask ListAsync(Call call)
    {
        string? after = call.Query.Text("after");
        AgentPage page = await agents.ListAsync(
            call.Text("ns", "namespace"), call.Query.Text("prefix") ?? "", after is "" ? null : after,
            call.Query.Limit(limits), call.Gone);
        call.Json.Raw("{\"items\":["u8);
        for (int i = 0; i < page.Items.Length; i++)
        {
            if (i > 0)
                call.Json.Raw(","u8);
            WireJson.AgentListItem(call.Json, page.Items[i]);
        }
        call.Json.Raw("]"u8);
        if (page.HasMore)
            call.Json.Raw(",\"next\":"u8).String(page.Items[^1].Agent.Name);
        call.Json.Raw("}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask HeadAsync(Call call)
    {
        AgentId agent = call.Agent();
        Consistency consistency = ReadPoints.Consistency(call.Query, ReadPoint.Latest);
        AgentHead head = await agents.Get(agent).GetHeadAsync(consistency, call.Gone);
        WireJson.Head(call.Json, agent, head);
        await call.ReplyAsync();
    }
}

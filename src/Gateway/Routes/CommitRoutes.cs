using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Commits: make them, on one agent or several, and read an agent's history of them.</summary>
internal sealed class CommitRoutes(IAgents agents, CommitStream stream, Limits limits)
{
    private const string OfAgent = "/v1/namespaces/{ns}/agents/{agent}/commits";

    public IEnumerable<ApiRoute> Routes =>
    [
        new("POST", OfAgent, CommitAsync),
        new("GET", OfAgent, ListAsync, "from", "to", "limit", "order"),
        new("GET", OfAgent + "/{version}", GetAsync),
        new("POST", "/v1/commits", CommitTogetherAsync),
    ];

    private async ValueTask CommitAsync(Call call)
    {
        using RequestBody body = await call.ReadBodyAsync();
        CommitRequest request = CommitJson.OneAgent(body.Utf8, limits.JsonDepthMax);
        string? headerKey = IdempotencyKeys.FromHeader(call.Http.Request);
        if (headerKey is not null)
            request = request with { IdempotencyKey = IdempotencyKeys.Merge(request.IdempotencyKey, headerKey) };
        CommitReceipt receipt = await agents.Get(call.Agent()).CommitAsync(request, call.Gone);
        call.MarkReplayed(receipt.Replayed);
        WireJson.Receipt(call.Json, receipt);
        await call.ReplyAsync(201);
    }

    private async ValueTask CommitTogetherAsync(Call call)
    {
        using RequestBody body = await call.ReadBodyAsync();
        ImmutableArray<AgentCommitRequest> commits = CommitJson.Together(
            body.Utf8, limits.JsonDepthMax, IdempotencyKeys.FromHeader(call.Http.Request));
        ImmutableArray<CommitReceipt> receipts = await agents.CommitTogetherAsync(commits, call.Gone);
        call.MarkReplayed(receipts.All(receipt => receipt.Replayed));
        ReceiptsReply.Write(
            call.Json, receipts[0].TxnId, [.. commits.Zip(receipts, (commit, receipt) => new TransactionCommit(commit.Agent, receipt))]);
        await call.ReplyAsync(201);
    }

    private async ValueTask GetAsync(Call call)
    {
        string text = call.Text("version", "version");
        if (!Query.TryNumber(text, out long version) || version == 0)
            throw RefusedException.Invalid("version", $"an integer from 1 to {long.MaxValue}", Query.Shown(text));
        JournalCommit commit = await agents.Get(call.Agent()).GetCommitAsync(new AgentVersion(version), call.Gone);
        WireJson.Commit(call.Json, commit);
        await call.ReplyAsync();
    }

    private async ValueTask ListAsync(Call call)
    {
        if (call.WantsEventStream)
        {
            await stream.SendAsync(call);
            return;
        }
        bool newestFirst = call.Query.Choice("order", "asc", "desc") == "desc";
        AgentVersion from = call.Query.AgentVersion("from") ?? AgentVersion.None;
        AgentVersion? to = call.Query.AgentVersion("to");
        if (to < from)
            throw RefusedException.Invalid("to", $"at least from ({from})", to.Value.ToString());
        var request = new HistoryRequest(from, to, call.Query.Limit(limits), newestFirst);
        HistoryPage page = await agents.Get(call.Agent()).GetCommitsAsync(request, call.Gone);
        await SendPageAsync(call, page, newestFirst);
    }

    private static async ValueTask SendPageAsync(Call call, HistoryPage page, bool newestFirst)
    {
        call.Json.Raw("{\"items\":["u8);
        for (int i = 0; i < page.Commits.Length; i++)
        {
            if (i > 0)
                call.Json.Raw(","u8);
            WireJson.Commit(call.Json, page.Commits[i]);
            await call.SendIfMuchAsync();
        }
        call.Json.Raw("]"u8);
        if (page.HasMore)
        {
            // Usable as it stands: for `from` upwards, for `to` downwards.
            long last = page.Commits[^1].Version.Value;
            call.Json.Raw(",\"next\":"u8).Number(newestFirst ? last - 1 : last + 1);
        }
        call.Json.Raw("}"u8);
        await call.ReplyAsync();
    }
}

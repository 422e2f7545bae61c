using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>Keys of one agent: read, write, delete, scan.</summary>
internal sealed class StateRoutes(IAgents agents, Limits limits, TimeProvider clock)
{
    private const string Keys = "/v1/namespaces/{ns}/agents/{agent}/state";
    private const string OneKey = Keys + "/{key}";

    public IEnumerable<ApiRoute> Routes =>
    [
        new("GET", OneKey, GetAsync, "key_version", "at_version", "at", "consistency"),
        new("PUT", OneKey, PutAsync),
        new("DELETE", OneKey, DeleteAsync),
        new("GET", Keys, ScanAsync, "prefix", "after", "limit", "keys_only", "at_version", "at", "consistency"),
    ];

    private async ValueTask GetAsync(Call call)
    {
        ReadPoint at = ReadPoints.Parse(call.Query, clock, ofOneKey: true);
        var request = new GetRequest(call.Key(), at, ReadPoints.Consistency(call.Query, at));
        KeyState state = await agents.Get(call.Agent()).GetAsync(request, call.Gone);
        await KeyReply.SendAsync(call, state);
    }

    private ValueTask PutAsync(Call call) => WriteAsync(call, OperationKind.Put);

    private ValueTask DeleteAsync(Call call) => WriteAsync(call, OperationKind.Delete);

    /// <summary>One method from the body to the reply: each that waited on the way would allocate at every write.</summary>
    private async ValueTask WriteAsync(Call call, OperationKind kind)
    {
        if (kind == OperationKind.Delete)
            await call.ExpectNoBodyAsync();
        Key key = call.Key();
        using RequestBody? body = kind == OperationKind.Put ? await call.ReadBodyAsync() : null;
        JsonText value = body is null ? default : JsonText.Parse("value", body.Utf8, limits.JsonDepthMax);
        var request = new CommitRequest([Preconditions.Apply(call.Http.Request, new Operation(kind, key, value))])
        {
            IdempotencyKey = IdempotencyKeys.FromHeader(call.Http.Request),
        };
        CommitReceipt receipt;
        try
        {
            receipt = await agents.Get(call.Agent()).CommitAsync(request, call.Gone);
        }
        catch (RefusedException refusal) when (OfOnlyOperation(refusal) is { } known)
        {
            throw known;
        }
        if (WireJson.KeyVersionOf(receipt) is { } version && kind == OperationKind.Put)
            call.Http.Response.Headers.ETag = Preconditions.EntityTag(version);
        call.MarkReplayed(receipt.Replayed);
        WireJson.KeyReceipt(call.Json, key, receipt);
        await call.ReplyAsync();
    }

    /// <summary>The caller sent no list of operations, so a refusal names its key or value alone; null where it names neither.</summary>
    private static RefusedException? OfOnlyOperation(RefusedException refusal)
    {
        const string onlyOperation = "operations[0].";
        if (!refusal.Details.TryGetValue("field", out string? field) || !field.StartsWith(onlyOperation, StringComparison.Ordinal))
            return null;
        return new RefusedException(refusal.Code, refusal.Message.Replace(onlyOperation, "", StringComparison.Ordinal))
        {
            Details = new Dictionary<string, string>(refusal.Details) { ["field"] = field[onlyOperation.Length..] },
        };
    }

    private async ValueTask ScanAsync(Call call)
    {
        ReadPoint at = ReadPoints.Parse(call.Query, clock, ofOneKey: false);
        var request = new ScanRequest(
            call.Query.Key("prefix"), call.Query.Key("after"), call.Query.Limit(limits), call.Query.Flag("keys_only"),
            at, ReadPoints.Consistency(call.Query, at));
        ScanPage page = await agents.Get(call.Agent()).ScanAsync(request, call.Gone);
        call.Json.Raw("{\"agent_version\":"u8).Number(page.AgentVersion.Value).Raw(",\"items\":["u8);
        for (int i = 0; i < page.Items.Length; i++)
        {
            if (i > 0)
                call.Json.Raw(","u8);
            WireJson.KeyState(call.Json, page.Items[i]);
            await call.SendIfMuchAsync();
        }
        call.Json.Raw("]"u8);
        if (page.HasMore)
            call.Json.Raw(",\"next\":"u8).String(page.Items[^1].Key.Utf8);
        call.Json.Raw("}"u8);
        await call.ReplyAsync();
    }
}

using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Executions;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Executions: create, read, find, hand out, change their status.</summary>
internal sealed class ExecutionRoutes(ExecutionService executions, Limits limits)
{
    private const string All = ExecutionCalls.All;
    private const string One = ExecutionCalls.One;

    public IEnumerable<ApiRoute> Routes =>
    [
        new("POST", All, CreateAsync),
        new("GET", All, QueryAsync, "status", "workflow", "label", "started_from", "started_to", "updated_from", "updated_to",
            "order_by", "order", "limit", "after")
        {
            Repeatable = ["status", "label"],
        },
        // Before the next: an execution of this name is reached as %6Detrics.
        new("GET", All + "/metrics", SummarizeAsync),
        new("GET", One, GetAsync, "consistency"),
        new("POST", All + "/claim", ClaimAsync),
        new("POST", One + "/heartbeat", HeartbeatAsync, "token"),
        new("POST", One + "/complete", call => ChangeAsync(call, ExecutionStatus.Completed), "token"),
        new("POST", One + "/fail", call => ChangeAsync(call, ExecutionStatus.Failed), "token"),
        new("POST", One + "/cancel", call => ChangeAsync(call, ExecutionStatus.Cancelled), "token"),
        new("POST", One + "/pause", call => ChangeAsync(call, ExecutionStatus.Paused), "token"),
        new("POST", One + "/resume", call => ChangeAsync(call, ExecutionStatus.Running), "token"),
    ];

    private async ValueTask CreateAsync(Call call)
    {
        CreationRequest request = await ExecutionBodies.CreationAsync(call, limits);
        Written written = await executions.CreateAsync(call.Namespace(), request, call.Gone);
        call.MarkReplayed(written.Replayed);
        if (written.Replayed)
            ExecutionReply.Open(call.Json, await executions.GetAsync(written.View.Agent, Consistency.Default, call.Gone)).Raw("}"u8);
        else
            ExecutionReply.Open(call.Json, new ExecutionDetail(written.View, written.Hash, default)).Raw("}"u8);
        await call.ReplyAsync(written.Replayed ? 200 : 201);
    }

    private async ValueTask GetAsync(Call call)
    {
        Consistency consistency = ReadPoints.Consistency(call.Query, ReadPoint.Latest);
        ExecutionReply.Open(call.Json, await executions.GetAsync(call.Execution(), consistency, call.Gone)).Raw("}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask HeartbeatAsync(Call call)
    {
        long? token = call.Token(await ExecutionBodies.TokenAsync(call));
        Written written = await executions.HeartbeatAsync(call.Execution(), token, call.Gone);
        ExecutionReply.Lease(call.Json, written.View);
        await call.ReplyAsync();
    }

    private async ValueTask ChangeAsync(Call call, ExecutionStatus to)
    {
        (StatusChange change, long? inBody) = await ExecutionBodies.ChangeAsync(call, to, limits);
        Written written = await executions.ChangeAsync(
            call.Execution(), change, call.Token(inBody), IdempotencyKeys.FromHeader(call.Http.Request), call.Gone);
        call.MarkReplayed(written.Replayed);
        ExecutionDetail detail = written.Replayed
            ? await executions.GetAsync(written.View.Agent, Consistency.Default, call.Gone)
            : new ExecutionDetail(written.View, written.Hash, change.Result);
        ExecutionReply.Open(call.Json, detail).Raw("}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask ClaimAsync(Call call)
    {
        ClaimRequest request = await ExecutionBodies.ClaimAsync(call, limits);
        IReadOnlyList<ClaimedExecution> claimed = await executions.ClaimAsync(call.Namespace(), request, call.Gone);
        call.Json.Raw("{\"items\":["u8);
        for (int i = 0; i < claimed.Count; i++)
        {
            if (i > 0)
                call.Json.Raw(","u8);
            Written written = claimed[i].Written;
            ExecutionReply.Open(call.Json, new ExecutionDetail(written.View, written.Hash, default))
                .Raw(",\"state\":"u8).Raw(claimed[i].State.IsAbsent ? "null"u8 : claimed[i].State.Utf8).Raw("}"u8);
            await call.SendIfMuchAsync();
        }
        call.Json.Raw("]}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask QueryAsync(Call call)
    {
        bool byStart = call.Query.Choice("order_by", "updated", "started") == "started";
        var query = new IndexQuery(AgentKind.Execution, call.Namespace(), call.Query.Limit(limits))
        {
            Statuses = [.. call.Query.Texts("status").Select(text => Status("status", text)).Distinct().Select(status => (byte)status)],
            Group = call.Query.Text("workflow"),
            Labels = Labels(call),
            StartedFrom = call.Time("started_from"),
            StartedTo = call.Time("started_to"),
            UpdatedFrom = call.Time("updated_from"),
            UpdatedTo = call.Time("updated_to"),
            Order = byStart ? IndexOrder.Started : IndexOrder.Updated,
            Descending = call.Query.Choice("order", "desc", "asc") == "desc",
            After = OpaqueCursor.Parse(call.Query),
        };
        (IReadOnlyList<IndexedAgent> items, bool hasMore) = await executions.QueryAsync(query, call.Gone);
        call.Json.Raw("{\"items\":["u8);
        for (int i = 0; i < items.Count; i++)
        {
            if (i > 0)
                call.Json.Raw(","u8);
            ExecutionReply.Item(call.Json, items[i]);
            await call.SendIfMuchAsync();
        }
        call.Json.Raw("]"u8);
        if (hasMore)
        {
            IndexedAgent last = items[^1];
            call.Json.Raw(",\"next\":"u8).String(OpaqueCursor.Of(
                new IndexCursor(byStart ? last.Row.StartedAt : last.UpdatedAt, last.Agent.Name)));
        }
        call.Json.Raw("}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask SummarizeAsync(Call call)
    {
        ExecutionSummary summary = await executions.SummarizeAsync(call.Namespace(), call.Gone);
        IReadOnlyDictionary<ExecutionStatus, long> counts = summary.ByStatus;
        call.Json.Raw("{\"total\":"u8).Number(counts.Values.Sum())
            .Raw(",\"active\":"u8).Number(counts.Where(count => !count.Key.IsFinal()).Sum(count => count.Value))
            .Raw(",\"by_status\":{"u8);
        bool first = true;
        foreach ((ExecutionStatus status, long count) in counts)
        {
            call.Json.Raw(first ? ""u8 : ","u8).String(status.Text()).Raw(":"u8).Number(count);
            first = false;
        }
        call.Json.Raw("},\"checkpoints\":"u8).Number(summary.Checkpoints)
            .Raw(",\"checkpoint_bytes\":"u8).Number(summary.CheckpointBytes)
            .Raw(",\"checkpoint_latency_ms\":{\"p50\":"u8);
        Milliseconds(call.Json, summary.P50Ms);
        call.Json.Raw(",\"p90\":"u8);
        Milliseconds(call.Json, summary.P90Ms);
        call.Json.Raw(",\"p99\":"u8);
        Milliseconds(call.Json, summary.P99Ms);
        call.Json.Raw("},\"buffered\":"u8).Number(summary.Buffered)
            .Raw(",\"claims\":"u8).Number(summary.Claims)
            .Raw(",\"recoveries\":"u8).Number(summary.Recoveries).Raw("}"u8);
        await call.ReplyAsync();
    }

    private static void Milliseconds(JsonBuffer json, double? value)
    {
        Span<byte> text = stackalloc byte[32];
        if (value is { } ms && ms.TryFormat(text, out int written, "0.###", System.Globalization.CultureInfo.InvariantCulture))
            json.Raw(text[..written]);
        else
            json.Raw("null"u8);
    }

    private static ImmutableArray<string> Labels(Call call)
    {
        string[] labels = call.Query.Texts("label");
        foreach (string label in labels)
        {
            if (label.IndexOf('=', StringComparison.Ordinal) < 1)
                throw RefusedException.Invalid("label", "name=value", Query.Shown(label));
        }
        return [.. labels.Distinct(StringComparer.Ordinal).OrderBy(label => new Key(label))];
    }

    private static ExecutionStatus Status(string field, string text) =>
        ExecutionStatuses.TryParse(text, out ExecutionStatus status)
            ? status
            : throw RefusedException.Invalid(field, "one of " + ExecutionStatuses.All, Query.Shown(text));
}

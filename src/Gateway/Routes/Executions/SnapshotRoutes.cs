using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Executions;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Named snapshots of an execution, and restores.</summary>
internal sealed class SnapshotRoutes(ExecutionService executions, Limits limits)
{
    private const string OfExecution = ExecutionCalls.One + "/snapshots";
    private const string OneSnapshot = OfExecution + "/{name}";

    private static readonly MemberSet RestoreMembers = new("snapshot", "step", "token");

    public IEnumerable<ApiRoute> Routes =>
    [
        new("POST", OneSnapshot, NameAsync, "step", "token"),
        new("GET", OfExecution, ListAsync, "limit", "after"),
        new("GET", OneSnapshot, GetAsync),
        new("DELETE", OneSnapshot, DeleteAsync, "token"),
        new("POST", ExecutionCalls.One + "/restore", RestoreAsync, "token"),
    ];

    private async ValueTask NameAsync(Call call)
    {
        long? token = call.Token(await ExecutionBodies.TokenAsync(call));
        SnapshotLabel label = await executions.NameAsync(
            call.Execution(), NameOf(call), call.Query.Number("step", 0, StepMark.StepMax), token, call.Gone);
        Label(call.Json, label);
        call.Json.Raw("}"u8);
        await call.ReplyAsync(201);
    }

    private async ValueTask ListAsync(Call call)
    {
        (ImmutableArray<SnapshotLabel> items, bool hasMore) = await executions.ListSnapshotsAsync(
            call.Execution(), OpaqueCursor.Parse(call.Query)?.Name, call.Query.Limit(limits), call.Gone);
        call.Json.Raw("{\"items\":["u8);
        for (int i = 0; i < items.Length; i++)
        {
            if (i > 0)
                call.Json.Raw(","u8);
            Label(call.Json, items[i]);
            call.Json.Raw("}"u8);
        }
        call.Json.Raw("]"u8);
        if (hasMore)
            call.Json.Raw(",\"next\":"u8).String(OpaqueCursor.Of(items[^1].Name));
        call.Json.Raw("}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask GetAsync(Call call)
    {
        (SnapshotLabel label, JsonText state) = await executions.GetSnapshotAsync(call.Execution(), NameOf(call), call.Gone);
        Label(call.Json, label);
        call.Json.Raw(",\"state\":"u8).Raw(state.Utf8).Raw("}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask DeleteAsync(Call call)
    {
        await call.ExpectNoBodyAsync();
        string name = NameOf(call);
        await executions.UnnameAsync(call.Execution(), name, call.Token(), call.Gone);
        call.Json.Raw("{\"name\":"u8).String(name).Raw(",\"deleted\":true}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask RestoreAsync(Call call)
    {
        string? snapshot = null;
        long? step = null;
        long? token = null;
        await call.ReadMembersAsync(RestoreMembers, 1, (ref JsonBody body, int member) =>
        {
            switch (member)
            {
                case 0: snapshot = body.StringOrNull("snapshot"); break;
                case 1: step = ExecutionBodies.Step(ref body, "step"); break;
                case 2: token = body.WholeNumberOrNull("token"); break;
            }
        });
        if (snapshot is null == step is null)
            throw RefusedException.Invalid("body", "either snapshot or step", snapshot is null ? "neither" : "both");
        token = call.Token(token);
        string? key = IdempotencyKeys.FromHeader(call.Http.Request);
        AgentId agent = call.Execution();
        Written written = snapshot is not null
            ? await executions.RestoreAsync(agent, snapshot, token, key, call.Gone)
            : await executions.RestoreAsync(agent, step!.Value, token, key, call.Gone);
        call.MarkReplayed(written.Replayed);
        ExecutionDetail detail = written.Replayed
            ? await executions.GetAsync(agent, Consistency.Default, call.Gone)
            : new ExecutionDetail(written.View, written.Hash, default);
        ExecutionReply.Open(call.Json, detail).Raw("}"u8);
        await call.ReplyAsync();
    }

    private static string NameOf(Call call) => call.Text("name", "name");

    /// <summary>A <c>Snapshot</c>, open: the caller may add the state, and closes it.</summary>
    private static void Label(JsonBuffer json, SnapshotLabel label) =>
        json.Raw("{\"name\":"u8).String(label.Name)
            .Raw(",\"step\":"u8).Number(label.Step)
            .Raw(",\"version\":"u8).Number(label.Version.Value)
            .Raw(",\"time\":"u8).Time(label.Time)
            .Raw(",\"state_bytes\":"u8).Number(label.StateBytes);
}

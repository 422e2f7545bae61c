using Statehouse.Agents;
using Statehouse.Executions;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Checkpoints of an execution: make them, and read them again.</summary>
internal sealed class CheckpointRoutes(ExecutionService executions, Limits limits)
{
    private const string OfExecution = ExecutionCalls.One + "/checkpoints";
    private const string StepHeader = "Statehouse-Step";

    public IEnumerable<ApiRoute> Routes =>
    [
        new("PUT", OfExecution + "/{step}", PutAsync, "token"),
        new("GET", OfExecution, ListAsync, "from_step", "to_step", "limit", "order", "state", "after"),
        new("GET", OfExecution + "/latest", call => GetAsync(call, latest: true), "raw"),
        new("GET", OfExecution + "/{step}", call => GetAsync(call, latest: false), "raw"),
    ];

    private async ValueTask PutAsync(Call call)
    {
        long step = StepOf(call);
        AgentId agent = call.Execution();
        long? token = call.Token();
        JsonText state;
        using (RequestBody body = await call.ReadBodyAsync())
            state = JsonText.Parse("state", body.Utf8, limits.JsonDepthMax);
        Written written = await executions.CheckpointAsync(
            agent, step, state, token, IdempotencyKeys.FromHeader(call.Http.Request), call.Gone);
        call.MarkReplayed(written.Replayed);
        ExecutionReply.Receipt(call.Json, step, written);
        await call.ReplyAsync(written.Replayed ? 200 : 201);
    }

    private async ValueTask GetAsync(Call call, bool latest)
    {
        AgentId agent = call.Execution();
        bool raw = call.Query.Flag("raw");
        LoadedCheckpoint loaded = latest
            ? await executions.LatestAsync(agent, call.Gone)
            : await executions.LoadAsync(agent, StepOf(call), call.Gone);
        call.Http.Response.Headers.ETag = $"\"{loaded.Commit.Version}\"";
        call.Http.Response.Headers[StepHeader] = loaded.Step.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (raw)
            call.Json.Raw(loaded.State.Utf8);
        else
            ExecutionReply.Loaded(call.Json, agent.Name, loaded);
        await call.ReplyAsync();
    }

    private async ValueTask ListAsync(Call call)
    {
        var query = new CheckpointQuery(call.Query.Limit(limits))
        {
            FromStep = call.Query.Number("from_step", 0, StepMark.StepMax),
            ToStep = call.Query.Number("to_step", 0, StepMark.StepMax),
            NewestFirst = call.Query.Choice("order", "asc", "desc") == "desc",
            WithState = call.Query.Flag("state"),
            After = OpaqueCursor.Parse(call.Query) is { } cursor ? Version(cursor) : null,
        };
        CheckpointPage page = await executions.ListCheckpointsAsync(call.Execution(), query, call.Gone);
        call.Json.Raw("{\"items\":["u8);
        for (int i = 0; i < page.Items.Length; i++)
        {
            if (i > 0)
                call.Json.Raw(","u8);
            ExecutionReply.Checkpoint(call.Json, page.Items[i]);
            await call.SendIfMuchAsync();
        }
        call.Json.Raw("]"u8);
        if (page.Next is { } next)
            call.Json.Raw(",\"next\":"u8).String(OpaqueCursor.Of(next));
        call.Json.Raw("}"u8);
        await call.ReplyAsync();
    }

    private static long StepOf(Call call) => ExecutionCalls.Step("step", call.Text("step", "step"));

    private static AgentVersion Version(IndexCursor cursor) =>
        cursor.Name.Length == 0 && cursor.Value.UnixMicroseconds > 0
            ? new AgentVersion(cursor.Value.UnixMicroseconds)
            : throw RefusedException.Invalid("after", "what an earlier page of checkpoints gave as next", "another cursor");
}

using System.Collections.Immutable;
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
        new("PUT", OfExecution + "/{step}", PutAsync, "token", "buffered"),
        new("POST", ExecutionCalls.One + "/flush", FlushAsync),
        new("POST", ExecutionCalls.All + "/commit", CommitAsync),
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
        if (call.Query.Flag("buffered"))
        {
            await BufferAsync(call, agent, step, state, token);
            return;
        }
        Written written = await executions.CheckpointAsync(
            agent, step, state, token, IdempotencyKeys.FromHeader(call.Http.Request), call.Gone);
        call.MarkReplayed(written.Replayed);
        ExecutionReply.Receipt(call.Json, step, written);
        await call.ReplyAsync(written.Replayed ? 200 : 201);
    }

    private async ValueTask BufferAsync(Call call, AgentId agent, long step, JsonText state, long? token)
    {
        if (IdempotencyKeys.FromHeader(call.Http.Request) is not null)
            throw RefusedException.Invalid(IdempotencyKeys.Header, "absent from a buffered checkpoint", "given");
        int buffered = await executions.BufferAsync(agent, step, state, token, call.Gone);
        call.Json.Raw("{\"execution_id\":"u8).String(agent.Name).Raw(",\"step\":"u8).Number(step)
            .Raw(",\"durable\":false,\"buffered\":"u8).Number(buffered).Raw("}"u8);
        await call.ReplyAsync(202);
    }

    private async ValueTask FlushAsync(Call call)
    {
        using (RequestBody body = await call.ReadBodyAsync())
            CommitJson.Nothing(body.Utf8);
        (int flushed, ExecutionView view) = await executions.FlushAsync(call.Execution(), call.Gone);
        call.Json.Raw("{\"flushed\":"u8).Number(flushed).Raw(",\"step\":"u8);
        if (view.Mark.Step is { } step)
            call.Json.Number(step);
        else
            call.Json.Raw("null"u8);
        call.Json.Raw(",\"durable\":true}"u8);
        await call.ReplyAsync();
    }

    private async ValueTask CommitAsync(Call call)
    {
        (ImmutableArray<CheckpointRequest> checkpoints, string? key) = await ExecutionBodies.TogetherAsync(call, limits);
        key = IdempotencyKeys.Merge(key, IdempotencyKeys.FromHeader(call.Http.Request));
        ImmutableArray<Written> written = await executions.CheckpointTogetherAsync(checkpoints, key, call.Gone);
        bool replayed = written.All(one => one.Replayed);
        call.MarkReplayed(replayed);
        call.Json.Raw("{\"commit_ts\":"u8).Number(written[0].CommitTs.Value)
            .Raw(",\"txn_id\":"u8).Uuid(written[0].TxnId).Raw(",\"checkpoints\":["u8);
        for (int i = 0; i < written.Length; i++)
        {
            if (i > 0)
                call.Json.Raw(","u8);
            ExecutionReply.Receipt(call.Json, checkpoints[i].Step, written[i]);
        }
        call.Json.Raw("]}"u8);
        await call.ReplyAsync(replayed ? 200 : 201);
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

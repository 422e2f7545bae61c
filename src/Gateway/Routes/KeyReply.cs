using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>Answers a read of one key: 200 with the state, 304, or 404 with what is known of the key's absence.</summary>
internal static class KeyReply
{
    public static async ValueTask SendAsync(Call call, KeyState state)
    {
        if (!state.Exists)
        {
            await SendAbsentAsync(call, state);
            return;
        }
        call.Http.Response.Headers.ETag = Preconditions.EntityTag(state.Version);
        if (Preconditions.ReaderHas(call.Http.Request, state.Version))
        {
            call.Http.Response.StatusCode = 304;
            return;
        }
        WireJson.KeyState(call.Json, state);
        await call.ReplyAsync();
    }

    private static async ValueTask SendAbsentAsync(Call call, KeyState state)
    {
        RefusedException notFound = RefusedException.NotFound($"key {Query.Shown(state.Key.ToString())}");
        Problem problem = ProblemWriter.ProblemOf(notFound) with
        {
            MoreMembers = json => json
                .Raw(",\"key\":"u8).String(state.Key.Utf8)
                .Raw(",\"exists\":false,\"version\":"u8).Number(state.Version.Value)
                .Raw(",\"agent_version\":"u8).Number(state.AgentVersion.Value),
        };
        ProblemJson.Write(call.Json, problem, call.RequestId);
        await call.ReplyAsync(problem.Status, ProblemJson.MediaType);
    }
}

using System.Globalization;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>One agent's commits as server-sent events: replays, then follows. The event id is the agent version.</summary>
internal sealed class CommitStream(IAgents agents, StreamHost host)
{
    public async ValueTask SendAsync(Call call)
    {
        foreach (string name in (ReadOnlySpan<string>)["to", "limit", "order"])
        {
            if (call.Query.Has(name))
                throw RefusedException.Invalid(name, "absent from an event stream", "given");
        }
        IAgentState agent = agents.Get(call.Agent());
        AgentVersion from = await StartAsync(call, agent);
        await host.RunAsync(call, (stream, data, ending) => FollowAsync(agent, from, stream, data, ending));
    }

    /// <summary>Decides where to start while a typed error can still be answered.</summary>
    private static async ValueTask<AgentVersion> StartAsync(Call call, IAgentState agent)
    {
        (AgentVersion first, AgentVersion last) = await RangeAsync(call, agent, Consistency.Default);
        bool resumes = LastEventId.Of(call.Http.Request) is not null;
        string field = resumes ? LastEventId.Header : "from";
        AgentVersion from = resumes
            ? Resume(LastEventId.Of(call.Http.Request)!)
            : call.Query.AgentVersion("from") ?? AgentVersion.None;
        if (!resumes && from.Value <= 1)
            return first;
        // Whoever goes on here may have seen more on another server than this one knows yet.
        if (from.Value > last.Value + 1)
            (first, last) = await RangeAsync(call, agent, Consistency.Strong);
        if (from.Value > last.Value + 1)
            throw RefusedException.Invalid(field, $"at most the agent's version, {last}", $"{from.Value - (resumes ? 1 : 0)}");
        if (from < first)
            throw new HistoryTrimmedException($"{field} asks for version {from}; the oldest one kept is {first}.");
        return from;
    }

    private static async ValueTask<(AgentVersion First, AgentVersion Last)> RangeAsync(Call call, IAgentState agent, Consistency consistency)
    {
        try
        {
            AgentHead head = await agent.GetHeadAsync(consistency, call.Gone);
            return (head.FirstVersion, head.Version);
        }
        catch (RefusedException error) when (error.Code == ErrorCode.NotFound)
        {
            // An agent that has no commit yet can be waited for.
            return (new AgentVersion(1), AgentVersion.None);
        }
    }

    private static AgentVersion Resume(string lastEventId)
    {
        if (!Query.TryNumber(lastEventId, out long version) || version == long.MaxValue)
            throw RefusedException.Invalid(LastEventId.Header, "an event id of this stream: an agent version", Query.Shown(lastEventId));
        return new AgentVersion(version + 1);
    }

    private static async Task FollowAsync(
        IAgentState agent, AgentVersion from, EventStream stream, JsonBuffer data, CancellationToken ending)
    {
        await using IAsyncEnumerator<JournalCommit> commits =
            agent.ReplayAsync(from, follow: true, ending).GetAsyncEnumerator(ending);
        while (await stream.AwaitAsync(commits.MoveNextAsync(), ending))
        {
            WireJson.Commit(data, commits.Current);
            await stream.WriteAsync(commits.Current.Version.Value.ToString(CultureInfo.InvariantCulture), ending);
        }
        await stream.FlushAsync(ending);
    }
}

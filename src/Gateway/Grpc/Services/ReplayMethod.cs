using Statehouse.Agents;
using Statehouse.Gateway.Wire;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>
/// One agent's commits as a stream of events. They gather up to a piece and then wait until the client has room, so
/// a slow reader holds the journal's reader back and memory stays flat.
/// </summary>
internal sealed class ReplayMethod(IAgents agents)
{
    private const int PieceBytes = 64 * 1024;

    public GrpcMethod Method(string service) =>
        new StreamingMethod<ReplayRequest>(service, "Replay", ReplayRequest.Parser, ReplayAsync);

    private async ValueTask ReplayAsync(ReplayRequest request, GrpcCall call)
    {
        IAgentState agent = agents.Get(WireNames.Agent(request.Namespace, request.AgentId));
        CommitTs from = Bound(request.HasStartTs ? request.StartTs : 0);
        CommitTs to = Bound(request.HasEndTs ? request.EndTs : ulong.MaxValue);
        using var output = new ProtoBuffer();
        await foreach (JournalCommit commit in agent.ReplayRangeAsync(from, to, call.Ending))
        {
            ReplayEventWriter.Write(output, commit);
            if (output.Length < PieceBytes)
                continue;
            await call.Replies.SendAsync(output.Written, call.Ending);
            output.Clear();
        }
        if (output.Length > 0)
            await call.Replies.SendAsync(output.Written, call.Ending);
    }

    /// <summary>No commit_ts is above 63 bits.</summary>
    private static CommitTs Bound(ulong commitTs) => new((long)Math.Min(commitTs, long.MaxValue));
}

using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Bench.Targets;

/// <summary>A caller of agents with no protocol in between, wherever they live.</summary>
internal sealed class InProcessSession(IAgents agents) : ISession
{
    private static readonly AgentId?[] s_ids = new AgentId?[16_384];
    private static readonly Key?[] s_keys = new Key?[1_024];

    public bool Blocks => false;

    public async ValueTask<Answer> AskAsync(Request request, CancellationToken cancellationToken)
    {
        switch (request.Kind)
        {
            case RequestKind.Put:
                await Agent(request).CommitAsync(new CommitRequest([Put(request.Key, request.Value)]), cancellationToken);
                return new Answer(1, 0);
            case RequestKind.PutMany:
                await Agent(request).CommitAsync(
                    new CommitRequest([.. Enumerable.Range(request.Key, request.Count).Select(key => Put(key, request.Value))]), cancellationToken);
                return new Answer(1, 0);
            case RequestKind.PutTogether:
                ImmutableArray<CommitReceipt> receipts = await agents.CommitTogetherAsync(
                    [.. Enumerable.Range(request.Agent, request.Count).Select(agent => new AgentCommitRequest(Id(agent), new CommitRequest([Put(request.Key, request.Value)])))],
                    cancellationToken);
                return new Answer(receipts.Length, 0);
            case RequestKind.Get:
                KeyState state = await Agent(request).GetAsync(new GetRequest(KeyOf(request.Key)), cancellationToken);
                return state.Exists ? new Answer(0, 1) : throw new InvalidOperationException($"{Names.Agent(request.Agent)} has no {Names.Key(request.Key)}.");
            case RequestKind.Scan:
                ScanPage page = await Agent(request).ScanAsync(new ScanRequest(default, default, request.Count), cancellationToken);
                return page.Items.Length == request.Count ? new Answer(0, request.Count) : throw new InvalidOperationException($"A page of {request.Count} keys had {page.Items.Length}.");
            default:
                throw new NotSupportedException($"No {request.Kind} in process.");
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public static AgentId Id(int agent) => agent < s_ids.Length ? s_ids[agent] ??= new AgentId(Names.Namespace, Names.Agent(agent)) : new AgentId(Names.Namespace, Names.Agent(agent));

    public static Key KeyOf(int key)
    {
        if (key >= s_keys.Length)
            return new Key(Names.Key(key));
        Key known = s_keys[key] ?? new Key(Names.Key(key));
        s_keys[key] = known;
        return known;
    }

    private IAgentState Agent(Request request) => agents.Get(Id(request.Agent));

    /// <summary>The load's values are JSON by construction; what checking costs is part of a protocol's cost.</summary>
    private static Operation Put(int key, ReadOnlyMemory<byte> value) => new(OperationKind.Put, KeyOf(key), JsonText.Trusted(value));
}

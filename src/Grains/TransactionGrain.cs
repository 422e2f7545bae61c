using System.Collections.Immutable;
using Orleans.Concurrency;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;

namespace Statehouse.Grains;

/// <summary>Coordinates transactions over several agents, on the silo that is asked. Keeps nothing between two calls.</summary>
[Reentrant]
[StatelessWorker(maxLocalWorkers: 1)]
[GrainType("statehouse.transactions")]
internal sealed class TransactionGrain : Grain, ITransactionGrain
{
    private readonly TogetherCommit _together;

    public TransactionGrain(AgentHosting hosting, IGrainFactory grains)
    {
        var agents = new AgentGrains(grains);
        _together = new TogetherCommit(hosting, agent => new GrainShare(hosting, agents, agent));
    }

    public async ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken) =>
        await _together.CommitAsync(commits, cancellationToken);
}

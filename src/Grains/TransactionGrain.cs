using System.Collections.Immutable;
using Orleans.Concurrency;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>Coordinates transactions over several agents, on the silo that is asked. Keeps nothing between two calls.</summary>
[Reentrant]
[StatelessWorker(maxLocalWorkers: 1)]
[GrainType("statehouse.transactions")]
internal sealed class TransactionGrain : Grain, ITransactionGrain
{
    private readonly TogetherCommit _together;
    private readonly NextSilo _nextSilo;

    public TransactionGrain(AgentHosting hosting, IGrainFactory grains)
    {
        var agents = new AgentGrains(grains);
        _nextSilo = new NextSilo(agents, hosting.Clock);
        _together = new TogetherCommit(hosting, agent => new GrainShare(hosting, agents, agent));
    }

    public async ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken)
    {
        try
        {
            return await _together.CommitAsync(commits, cancellationToken);
        }
        catch (JournalUnavailableException gone) when (gone.InnerException is { } error && ClusterFaults.IsFault(error, cancellationToken))
        {
            // An agent's silo went before it was held: nothing was written, so its next one may be asked.
            await _nextSilo.AwaitAllAsync(commits.Select(each => each.Agent), cancellationToken);
            return await _together.CommitAsync(commits, cancellationToken);
        }
    }
}

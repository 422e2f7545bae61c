using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>What executions need of a store beside the agents in it.</summary>
/// <param name="Store">Read only, but for snapshots that thinning has made useless.</param>
/// <param name="Index">Finds executions.</param>
/// <param name="Retention">Lets go of what is old.</param>
public sealed record ExecutionStores(IJournalStore Store, IAgentIndex Index, IJournalRetention Retention)
{
    /// <returns>null where the store cannot find or let go.</returns>
    public static ExecutionStores? Of(IJournalStore store) =>
        store is IAgentIndex index && store is IJournalRetention retention ? new ExecutionStores(store, index, retention) : null;
}

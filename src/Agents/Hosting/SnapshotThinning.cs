using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>
/// Drops the snapshots of all agents that thinning has left behind. Whoever writes a snapshot drops an older one; where
/// its process dies between the two, nobody else would.
/// </summary>
/// <param name="store">Whose snapshots.</param>
/// <param name="inventory">The same store.</param>
public sealed class SnapshotThinning(IJournalStore store, ISnapshotInventory inventory)
{
    private const int PageAgents = 200;

    /// <summary>One pass over all agents that have enough snapshots for one of them to be too many.</summary>
    /// <returns>How many snapshots were dropped.</returns>
    /// <exception cref="JournalUnavailableException">SH-2001. What was dropped so far stays dropped; a later pass goes on.</exception>
    public async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        long dropped = 0;
        long after = 0;
        while (true)
        {
            IReadOnlyList<JournalHandle> agents = await inventory.ListAgentsBySnapshotsAsync(
                after, SnapshotPolicy.NewestKept, PageAgents, cancellationToken).ConfigureAwait(false);
            foreach (JournalHandle agent in agents)
                dropped += await ThinAsync(agent, cancellationToken).ConfigureAwait(false);
            if (agents.Count < PageAgents)
                return dropped;
            after = agents[^1].StoreKey;
        }
    }

    private async Task<int> ThinAsync(JournalHandle agent, CancellationToken cancellationToken)
    {
        IReadOnlyList<AgentVersion> versions = await store.ListSnapshotsAsync(agent, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<AgentVersion> surplus = SnapshotPolicy.Surplus(versions);
        if (surplus.Count > 0)
            await store.DeleteSnapshotsAsync(agent, surplus, cancellationToken).ConfigureAwait(false);
        return surplus.Count;
    }
}

namespace Statehouse.Journal;

/// <summary>A store that can tell which agents have many snapshots: for work that passes over all agents.</summary>
public interface ISnapshotInventory
{
    /// <summary>Agents with more than so many snapshots, in the order of the store's own numbers.</summary>
    /// <param name="afterStoreKey">Goes on after this <see cref="JournalHandle.StoreKey"/>; 0 = from the first.</param>
    /// <param name="moreThan">Agents that have no more are passed over.</param>
    /// <param name="limit">1..1,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="JournalUnavailableException">SH-2001.</exception>
    Task<IReadOnlyList<JournalHandle>> ListAgentsBySnapshotsAsync(
        long afterStoreKey, int moreThan, int limit, CancellationToken cancellationToken);
}

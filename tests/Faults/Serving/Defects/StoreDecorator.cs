using Statehouse.Journal;

namespace Statehouse.Faults.Serving.Defects;

/// <summary>Passes every call on to a store, and every capability that both stores have; what is overridden is the defect.</summary>
/// <remarks>The snapshot inventory is PostgreSQL's alone, and only silos ask for it: elsewhere asking fails at the cast.</remarks>
internal abstract class StoreDecorator(IJournalStore inner) : IJournalStore, IAgentIndex, IJournalRetention, ISnapshotInventory
{
    protected IJournalStore Inner => inner;

    public string Name => inner.Name;

    public int WriterCount => inner.WriterCount;

    public bool IsShared => inner.IsShared;

    public virtual Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken) => inner.WriteAsync(batch, cancellationToken);

    public virtual Task<JournalHead?> ReadHeadAsync(JournalHandle handle, CancellationToken cancellationToken) => inner.ReadHeadAsync(handle, cancellationToken);

    public virtual IAsyncEnumerable<JournalCommit> ReadForwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken) =>
        inner.ReadForwardAsync(handle, fromInclusive, toInclusive, cancellationToken);

    public virtual IAsyncEnumerable<JournalCommit> ReadBackwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken) =>
        inner.ReadBackwardAsync(handle, fromInclusive, toInclusive, cancellationToken);

    public Task<AgentVersion> FindVersionAtTimeAsync(JournalHandle handle, CommitTime time, CancellationToken cancellationToken) =>
        inner.FindVersionAtTimeAsync(handle, time, cancellationToken);

    public Task<AgentVersion> FindVersionAtTsAsync(JournalHandle handle, CommitTs commitTs, CancellationToken cancellationToken) =>
        inner.FindVersionAtTsAsync(handle, commitTs, cancellationToken);

    public Task<JournalSnapshot?> ReadSnapshotAsync(JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken) =>
        inner.ReadSnapshotAsync(handle, atMost, cancellationToken);

    public Task<IReadOnlyList<AgentVersion>> ListSnapshotsAsync(JournalHandle handle, CancellationToken cancellationToken) =>
        inner.ListSnapshotsAsync(handle, cancellationToken);

    public virtual Task WriteSnapshotAsync(JournalHandle handle, JournalSnapshot snapshot, CancellationToken cancellationToken) =>
        inner.WriteSnapshotAsync(handle, snapshot, cancellationToken);

    public Task DeleteSnapshotsAsync(JournalHandle handle, IReadOnlyList<AgentVersion> versions, CancellationToken cancellationToken) =>
        inner.DeleteSnapshotsAsync(handle, versions, cancellationToken);

    public virtual Task<IReadOnlyList<JournalHead>> ListAgentsAsync(
        AgentKind kind, string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken) =>
        inner.ListAgentsAsync(kind, @namespace, prefix, afterExclusive, limit, cancellationToken);

    public virtual Task<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken) =>
        inner.ReadFeedAsync(afterExclusive, limit, @namespace, cancellationToken);

    public Task<CommitTs> ReadFeedEndAsync(CancellationToken cancellationToken) => inner.ReadFeedEndAsync(cancellationToken);

    public Task PingAsync(CancellationToken cancellationToken) => inner.PingAsync(cancellationToken);

    public Task<IReadOnlyList<IndexedAgent>> QueryAsync(IndexQuery query, CancellationToken cancellationToken) =>
        ((IAgentIndex)inner).QueryAsync(query, cancellationToken);

    public Task<IReadOnlyDictionary<byte, long>> CountByStatusAsync(AgentKind kind, string @namespace, CancellationToken cancellationToken) =>
        ((IAgentIndex)inner).CountByStatusAsync(kind, @namespace, cancellationToken);

    public Task<long> CutDetailsAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken) =>
        ((IJournalRetention)inner).CutDetailsAsync(handle, fromInclusive, toInclusive, cancellationToken);

    public Task<bool> DeleteAgentAsync(JournalHandle handle, AgentVersion version, CommitHash hash, CancellationToken cancellationToken) =>
        ((IJournalRetention)inner).DeleteAgentAsync(handle, version, hash, cancellationToken);

    public Task<IReadOnlyList<bool>> DeleteAgentsAsync(IReadOnlyList<AgentEnd> agents, CancellationToken cancellationToken) =>
        ((IJournalRetention)inner).DeleteAgentsAsync(agents, cancellationToken);

    public Task<IReadOnlyList<JournalHandle>> ListAgentsBySnapshotsAsync(
        long afterStoreKey, int moreThan, int limit, CancellationToken cancellationToken) =>
        ((ISnapshotInventory)inner).ListAgentsBySnapshotsAsync(afterStoreKey, moreThan, limit, cancellationToken);

    public virtual ValueTask DisposeAsync() => inner.DisposeAsync();
}

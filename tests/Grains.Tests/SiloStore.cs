using Statehouse.Journal;

namespace Statehouse.Grains.Tests;

/// <summary>
/// One silo's connection to a store that several share: its writes can be held, failed, or land after their caller
/// was told that they failed. The store itself outlives it.
/// </summary>
internal sealed class SiloStore(IJournalStore shared) : IJournalStore
{
    private int _writes;

    /// <summary>Takes the place of each write; calling the function given to it writes, once or not at all, now or later.</summary>
    public Func<IReadOnlyList<AppendUnit>, Func<Task>, Task>? OnWrite { get; set; }

    /// <summary>Calls of <see cref="WriteAsync"/> so far, whatever became of them.</summary>
    public int Writes => Volatile.Read(ref _writes);

    public string Name => shared.Name;

    public int WriterCount => shared.WriterCount;

    public bool IsShared => shared.IsShared;

    public Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _writes);
        return OnWrite is { } take ? take(batch, () => shared.WriteAsync(batch, CancellationToken.None)) : shared.WriteAsync(batch, cancellationToken);
    }

    public Task<JournalHead?> ReadHeadAsync(JournalHandle handle, CancellationToken cancellationToken) => shared.ReadHeadAsync(handle, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReadForwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken) =>
        shared.ReadForwardAsync(handle, fromInclusive, toInclusive, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReadBackwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, CancellationToken cancellationToken) =>
        shared.ReadBackwardAsync(handle, fromInclusive, toInclusive, cancellationToken);

    public Task<AgentVersion> FindVersionAtTimeAsync(JournalHandle handle, CommitTime time, CancellationToken cancellationToken) =>
        shared.FindVersionAtTimeAsync(handle, time, cancellationToken);

    public Task<AgentVersion> FindVersionAtTsAsync(JournalHandle handle, CommitTs commitTs, CancellationToken cancellationToken) =>
        shared.FindVersionAtTsAsync(handle, commitTs, cancellationToken);

    public Task<JournalSnapshot?> ReadSnapshotAsync(JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken) =>
        shared.ReadSnapshotAsync(handle, atMost, cancellationToken);

    public Task<IReadOnlyList<AgentVersion>> ListSnapshotsAsync(JournalHandle handle, CancellationToken cancellationToken) =>
        shared.ListSnapshotsAsync(handle, cancellationToken);

    public Task WriteSnapshotAsync(JournalHandle handle, JournalSnapshot snapshot, CancellationToken cancellationToken) =>
        shared.WriteSnapshotAsync(handle, snapshot, cancellationToken);

    public Task DeleteSnapshotsAsync(JournalHandle handle, IReadOnlyList<AgentVersion> versions, CancellationToken cancellationToken) =>
        shared.DeleteSnapshotsAsync(handle, versions, cancellationToken);

    public Task<IReadOnlyList<JournalHead>> ListAgentsAsync(
        AgentKind kind, string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken) =>
        shared.ListAgentsAsync(kind, @namespace, prefix, afterExclusive, limit, cancellationToken);

    public Task<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken) =>
        shared.ReadFeedAsync(afterExclusive, limit, @namespace, cancellationToken);

    public Task<CommitTs> ReadFeedEndAsync(CancellationToken cancellationToken) => shared.ReadFeedEndAsync(cancellationToken);

    public Task PingAsync(CancellationToken cancellationToken) => shared.PingAsync(cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

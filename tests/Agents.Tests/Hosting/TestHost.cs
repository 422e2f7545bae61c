using Statehouse.Agents.Hosting;
using Statehouse.Agents.Model;
using Statehouse.Journal;
using Statehouse.Journal.GroupCommit;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>One process's worth of Statehouse below the gateway: group commit and agents over a given store.</summary>
public sealed class TestHost : IAsyncDisposable
{
    private readonly GroupCommitJournal _journal;

    public TestHost(
        IJournalStore store, LocalAgentsOptions? options = null, Limits? limits = null, TimeProvider? clock = null,
        GroupCommitOptions? groupCommit = null, IOperatorLog? log = null, Func<AgentState, Commit, IndexRow?>? indexOf = null)
    {
        log ??= SilentOperatorLog.Instance;
        _journal = new GroupCommitJournal(new Undisposed(store), groupCommit ?? new GroupCommitOptions(), log);
        Agents = new LocalAgents(_journal, options ?? new LocalAgentsOptions(), limits ?? Limits.Default, clock ?? TimeProvider.System, log, indexOf);
    }

    public LocalAgents Agents { get; }

    public IAgentState Agent(string name) => Agents.Get(new AgentId("default", name));

    public async ValueTask DisposeAsync()
    {
        await Agents.DisposeAsync();
        await _journal.DisposeAsync();
    }

    /// <summary>The test owns the store; several hosts may share it.</summary>
    private sealed class Undisposed(IJournalStore store) : IJournalStore
    {
        public string Name => store.Name;
        public int WriterCount => store.WriterCount;
        public bool IsShared => store.IsShared;
        public Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken ct) => store.WriteAsync(batch, ct);
        public Task<JournalHead?> ReadHeadAsync(JournalHandle handle, CancellationToken ct) => store.ReadHeadAsync(handle, ct);
        public IAsyncEnumerable<JournalCommit> ReadForwardAsync(JournalHandle handle, AgentVersion from, AgentVersion to, CancellationToken ct) => store.ReadForwardAsync(handle, from, to, ct);
        public IAsyncEnumerable<JournalCommit> ReadBackwardAsync(JournalHandle handle, AgentVersion from, AgentVersion to, CancellationToken ct) => store.ReadBackwardAsync(handle, from, to, ct);
        public Task<AgentVersion> FindVersionAtTimeAsync(JournalHandle handle, CommitTime time, CancellationToken ct) => store.FindVersionAtTimeAsync(handle, time, ct);
        public Task<AgentVersion> FindVersionAtTsAsync(JournalHandle handle, CommitTs commitTs, CancellationToken ct) => store.FindVersionAtTsAsync(handle, commitTs, ct);
        public Task<JournalSnapshot?> ReadSnapshotAsync(JournalHandle handle, AgentVersion atMost, CancellationToken ct) => store.ReadSnapshotAsync(handle, atMost, ct);
        public Task<IReadOnlyList<AgentVersion>> ListSnapshotsAsync(JournalHandle handle, CancellationToken ct) => store.ListSnapshotsAsync(handle, ct);
        public Task WriteSnapshotAsync(JournalHandle handle, JournalSnapshot snapshot, CancellationToken ct) => store.WriteSnapshotAsync(handle, snapshot, ct);
        public Task DeleteSnapshotsAsync(JournalHandle handle, IReadOnlyList<AgentVersion> versions, CancellationToken ct) => store.DeleteSnapshotsAsync(handle, versions, ct);
        public Task<IReadOnlyList<JournalHead>> ListAgentsAsync(AgentKind kind, string ns, string prefix, string? after, int limit, CancellationToken ct) => store.ListAgentsAsync(kind, ns, prefix, after, limit, ct);
        public Task<FeedPage> ReadFeedAsync(CommitTs after, int limit, string? ns, CancellationToken ct) => store.ReadFeedAsync(after, limit, ns, ct);
        public Task<CommitTs> ReadFeedEndAsync(CancellationToken ct) => store.ReadFeedEndAsync(ct);
        public Task PingAsync(CancellationToken ct) => store.PingAsync(ct);
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

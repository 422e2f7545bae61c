using System.Runtime.CompilerServices;
using Statehouse.Journal;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>
/// A store in memory whose writes can be held, failed before they happen, or failed after they happened: the fault
/// ladder's lowest rung. Several hosts may share one, as servers share a database.
/// </summary>
public sealed class MemoryStore : IJournalStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<AgentId, List<JournalCommit>> _journals = [];
    private readonly List<FeedCommit> _feed = [];
    private readonly Dictionary<AgentId, SortedDictionary<long, JournalSnapshot>> _snapshots = [];
    private long _lastCommitTs;

    public string Name => "memory";

    public int WriterCount => 2;

    public bool IsShared { get; init; } = true;

    /// <summary>Runs before each batch is written; may wait, or throw what the write then fails with.</summary>
    public Func<IReadOnlyList<AppendUnit>, Task>? BeforeWrite { get; set; }

    /// <summary>Runs after each batch was written, before anyone hears of it; may throw: the reply is lost, the rows are not.</summary>
    public Func<IReadOnlyList<AppendUnit>, Task>? AfterWrite { get; set; }

    /// <summary>Runs after each look for a snapshot, before anyone hears of it.</summary>
    public Func<Task>? AfterReadSnapshot { get; set; }

    /// <summary>Throws from everything while set.</summary>
    public bool IsAway { get; set; }

    /// <summary>Sizes of the batches written, in commits.</summary>
    public List<int> Batches { get; } = [];

    public int ReadCount;

    public async Task WriteAsync(IReadOnlyList<AppendUnit> batch, CancellationToken cancellationToken)
    {
        if (BeforeWrite is { } before)
            await before(batch);
        lock (_lock)
        {
            ThrowIfAway();
            Batches.Add(batch.Sum(unit => unit.Runs.Sum(run => run.Commits.Count)));
            foreach (AppendUnit unit in batch)
                unit.Outcome = unit.Runs.All(Matches) ? Write(unit) : AppendOutcome.Conflict;
        }
        if (AfterWrite is { } after)
            await LoseReplyAsync(after, batch);
    }

    public Task<JournalHead?> ReadHeadAsync(JournalHandle handle, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ThrowIfAway();
            return Task.FromResult(HeadOf(handle.Agent));
        }
    }

    public async IAsyncEnumerable<JournalCommit> ReadForwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (JournalCommit commit in Range(handle.Agent, fromInclusive, toInclusive))
        {
            await Task.Yield();
            Interlocked.Increment(ref ReadCount);
            yield return commit;
        }
    }

    public async IAsyncEnumerable<JournalCommit> ReadBackwardAsync(
        JournalHandle handle, AgentVersion fromInclusive, AgentVersion toInclusive, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (JournalCommit commit in Enumerable.Reverse(Range(handle.Agent, fromInclusive, toInclusive)))
        {
            await Task.Yield();
            yield return commit;
        }
    }

    public Task<AgentVersion> FindVersionAtTimeAsync(JournalHandle handle, CommitTime time, CancellationToken cancellationToken) =>
        Task.FromResult(LastWhere(handle.Agent, commit => commit.Time <= time));

    public Task<AgentVersion> FindVersionAtTsAsync(JournalHandle handle, CommitTs commitTs, CancellationToken cancellationToken) =>
        Task.FromResult(LastWhere(handle.Agent, commit => commit.CommitTs <= commitTs));

    public async Task<JournalSnapshot?> ReadSnapshotAsync(JournalHandle handle, AgentVersion atMost, CancellationToken cancellationToken)
    {
        JournalSnapshot? found;
        lock (_lock)
        {
            ThrowIfAway();
            found = _snapshots.TryGetValue(handle.Agent, out SortedDictionary<long, JournalSnapshot>? all)
                ? all.Values.LastOrDefault(snapshot => snapshot.Version <= atMost)
                : null;
        }
        if (AfterReadSnapshot is { } after)
            await after();
        return found;
    }

    public Task<IReadOnlyList<AgentVersion>> ListSnapshotsAsync(JournalHandle handle, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<AgentVersion>>(_snapshots.TryGetValue(handle.Agent, out SortedDictionary<long, JournalSnapshot>? all)
                ? [.. all.Keys.Select(version => new AgentVersion(version))]
                : []);
        }
    }

    public Task WriteSnapshotAsync(JournalHandle handle, JournalSnapshot snapshot, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ThrowIfAway();
            if (!_snapshots.TryGetValue(handle.Agent, out SortedDictionary<long, JournalSnapshot>? all))
                _snapshots.Add(handle.Agent, all = []);
            all[snapshot.Version.Value] = snapshot;
        }
        return Task.CompletedTask;
    }

    public Task DeleteSnapshotsAsync(JournalHandle handle, IReadOnlyList<AgentVersion> versions, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (AgentVersion version in versions)
                _snapshots[handle.Agent].Remove(version.Value);
        }
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<JournalHead>> ListAgentsAsync(
        AgentKind kind, string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<JournalHead>>([.. _journals.Keys
                .Where(id => id.Kind == kind && id.Namespace == @namespace && id.Name.StartsWith(prefix, StringComparison.Ordinal))
                .Where(id => afterExclusive is null || new Key(id.Name).CompareTo(new Key(afterExclusive)) > 0)
                .OrderBy(id => new Key(id.Name)).Take(limit).Select(id => HeadOf(id)!)]);
        }
    }

    public Task<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ThrowIfAway();
            List<FeedCommit> rest = [.. _feed.Where(item => item.Commit.CommitTs > afterExclusive && (@namespace is null || item.Agent.Namespace == @namespace))];
            int take = Math.Min(limit, rest.Count);
            while (take > 0 && take < rest.Count && rest[take].Commit.CommitTs == rest[take - 1].Commit.CommitTs)
                take++;
            bool atEnd = take == rest.Count;
            CommitTs through = atEnd ? new CommitTs(Math.Max(_lastCommitTs, afterExclusive.Value)) : rest[take - 1].Commit.CommitTs;
            return Task.FromResult(new FeedPage(rest[..take], through, atEnd));
        }
    }

    public Task<CommitTs> ReadFeedEndAsync(CancellationToken cancellationToken) => Task.FromResult(new CommitTs(_lastCommitTs));

    public Task PingAsync(CancellationToken cancellationToken)
    {
        ThrowIfAway();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Puts another commit in the place of one, hash and all: what a tamperer does.</summary>
    public void Replace(AgentId agent, JournalCommit commit)
    {
        lock (_lock)
            _journals[agent][(int)commit.Version.Value - 1] = commit;
    }

    public IReadOnlyList<JournalCommit> JournalOf(AgentId agent) => Range(agent, new AgentVersion(1), new AgentVersion(long.MaxValue));

    public IReadOnlyList<JournalSnapshot> SnapshotsOf(AgentId agent)
    {
        lock (_lock)
            return _snapshots.TryGetValue(agent, out SortedDictionary<long, JournalSnapshot>? all) ? [.. all.Values] : [];
    }

    /// <summary>A store that throws has told no outcome, whatever it wrote.</summary>
    private static async Task LoseReplyAsync(Func<IReadOnlyList<AppendUnit>, Task> after, IReadOnlyList<AppendUnit> batch)
    {
        AppendOutcome[] outcomes = [.. batch.Select(unit => unit.Outcome)];
        foreach (AppendUnit unit in batch)
            unit.Outcome = AppendOutcome.Pending;
        await after(batch);
        for (int i = 0; i < outcomes.Length; i++)
            batch[i].Outcome = outcomes[i];
    }

    private bool Matches(AppendRun run)
    {
        JournalHead? head = HeadOf(run.Handle.Agent);
        return head is null
            ? run.ExpectedVersion == AgentVersion.None
            : head.Version == run.ExpectedVersion && head.Hash == run.ExpectedHash;
    }

    private AppendOutcome Write(AppendUnit unit)
    {
        var positions = new Dictionary<Guid, CommitTs>();
        foreach (AppendRun run in unit.Runs)
        {
            if (!_journals.TryGetValue(run.Handle.Agent, out List<JournalCommit>? journal))
                _journals.Add(run.Handle.Agent, journal = []);
            for (int i = 0; i < run.Commits.Count; i++)
            {
                if (!positions.TryGetValue(run.Commits[i].TxnId, out CommitTs position))
                    positions.Add(run.Commits[i].TxnId, position = new CommitTs(++_lastCommitTs));
                run.CommitTs[i] = position;
                JournalCommit commit = run.Commits[i] with { CommitTs = position };
                journal.Add(commit);
                _feed.Add(new FeedCommit(run.Handle.Agent, commit));
            }
        }
        return AppendOutcome.Appended;
    }

    private JournalHead? HeadOf(AgentId agent) => _journals.TryGetValue(agent, out List<JournalCommit>? journal)
        ? new JournalHead(agent, journal[^1].Version, journal[^1].CommitTs, journal[^1].Time, journal[^1].Hash, new AgentVersion(1))
        : null;

    private List<JournalCommit> Range(AgentId agent, AgentVersion from, AgentVersion to)
    {
        lock (_lock)
        {
            ThrowIfAway();
            return _journals.TryGetValue(agent, out List<JournalCommit>? journal)
                ? [.. journal.Where(commit => commit.Version >= from && commit.Version <= to)]
                : [];
        }
    }

    private AgentVersion LastWhere(AgentId agent, Predicate<JournalCommit> holds)
    {
        lock (_lock)
            return _journals[agent].FindLast(holds)?.Version ?? AgentVersion.None;
    }

    private void ThrowIfAway()
    {
        if (IsAway)
            throw new JournalUnavailableException("The memory store is away.");
    }
}

using System.Collections.Concurrent;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>
/// What all agents in the memory of one process share: the journal, bounds, snapshots, followers. One for
/// <see cref="LocalAgents"/>, one for all grains of a silo.
/// </summary>
public sealed class AgentHosting : IAsyncDisposable
{
    private readonly ConcurrentDictionary<AgentId, ResidentAgent> _followed = new();
    private readonly ForeignCommits? _foreignCommits;
    private readonly IDisposable _gauges;
    private readonly Func<AgentState, Commit, IndexRow?>? _indexOf;
    private long _residents;
    private long _writerLost;

    /// <param name="journal">Stays the caller's to drain and dispose, after this.</param>
    /// <param name="options">Memory and patience.</param>
    /// <param name="limits">What requests may hold.</param>
    /// <param name="clock">Commit times, idleness.</param>
    /// <param name="log">Hears what an operator should know.</param>
    /// <param name="indexOf">
    /// How an execution can be found from a commit on (<see cref="JournalCommit.Index"/>), given its state after that
    /// commit and the commit; it returns null where nothing changes. It must be pure and quick: it is called for each
    /// commit of an agent of <see cref="AgentKind.Execution"/>, under that agent's lock. null = executions are not indexed.
    /// </param>
    public AgentHosting(
        IJournal journal, LocalAgentsOptions options, Limits limits, TimeProvider clock, IOperatorLog log,
        Func<AgentState, Commit, IndexRow?>? indexOf = null)
    {
        _indexOf = indexOf;
        Journal = journal;
        Options = options;
        Limits = limits;
        Clock = clock;
        Log = log;
        Loader = new AgentLoader(journal.Store, limits, log, options.OnCrashPoint);
        Snapshots = new SnapshotWriter(journal.Store, log, options.OnCrashPoint);
        RecentStates = new RecentStates(countMax: 256, bytesMax: Math.Min(64L << 20, options.ResidentBytesMax / 4));
        FeedSignal = new FeedSignal();
        _foreignCommits = journal.Store.IsShared ? new ForeignCommits(_followed, this) : null;
        _gauges = AgentsGauges.Watch(this);
    }

    public IJournal Journal { get; }

    public IJournalStore Store => Journal.Store;

    public LocalAgentsOptions Options { get; }

    public Limits Limits { get; }

    public TimeProvider Clock { get; }

    public IOperatorLog Log { get; }

    /// <summary>Agents in memory.</summary>
    public long ResidentCount => Interlocked.Read(ref _residents);

    /// <summary>The highest commit_ts that this process has seen become durable.</summary>
    public CommitTs FeedPosition => FeedSignal.Position;

    internal AgentLoader Loader { get; }

    internal SnapshotWriter Snapshots { get; }

    internal RecentStates RecentStates { get; }

    internal FeedSignal FeedSignal { get; }

    /// <summary>Stops the background work and finishes queued snapshots. Call it when no request is in flight, before the journal drains.</summary>
    public async ValueTask DisposeAsync()
    {
        _gauges.Dispose();
        if (_foreignCommits is not null)
            await _foreignCommits.DisposeAsync().ConfigureAwait(false);
        await Snapshots.DrainAsync().ConfigureAwait(false);
    }

    /// <summary>An agent came into memory.</summary>
    public void OnArrived() => Interlocked.Increment(ref _residents);

    /// <summary>An agent left memory.</summary>
    public void OnLeft()
    {
        Interlocked.Decrement(ref _residents);
        AgentsMetrics.Evictions.Add(1);
    }

    /// <summary>
    /// A process that wrote agents of this store is gone, or about to go, and what it sent to the journal may still land
    /// when its agents were loaded here already. For as long as it may (<see cref="LocalAgentsOptions.DoubtFor"/>) reads
    /// ask the journal, of agents that came into memory since, or up to as long before, since it takes time to hear of it.
    /// </summary>
    public void OnWriterLost() => Volatile.Write(ref _writerLost, Clock.GetTimestamp());

    /// <summary>A decided commit as it goes to the journal, with how its agent can be found from then on.</summary>
    internal JournalCommit ToAppend(Commit commit, AgentState after)
    {
        JournalCommit append = commit.ToJournal();
        return _indexOf is not null && after.Agent.Kind == AgentKind.Execution ? append with { Index = _indexOf(after, commit) } : append;
    }

    /// <summary>When a writer was last lost, by the clock's timestamp; 0 = never.</summary>
    internal long WriterLost => Volatile.Read(ref _writerLost);

    internal void OnFollowed(ResidentAgent agent) => _followed[agent.Agent] = agent;

    internal void OnUnfollowed(ResidentAgent agent) =>
        _followed.TryRemove(new KeyValuePair<AgentId, ResidentAgent>(agent.Agent, agent));
}

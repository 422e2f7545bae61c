using Orleans.Concurrency;
using Orleans.EventSourcing;
using Orleans.EventSourcing.CustomStorage;
using Orleans.Placement;
using Orleans.Providers;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// One agent as a grain: the same <see cref="ResidentAgent"/> that a single process hosts, which decides, pipelines and
/// reads; the commits it decides are raised as conditional events, and the grain's custom storage is the journal.
/// </summary>
/// <remarks>
/// Orleans repeats a write that its storage reports as failed, and reads until it succeeds, without end. So the storage
/// here reports neither: each event carries its own outcome, the events of a failed append change nothing when they
/// are applied, and what failed is looked up in the journal by the agent, within its callers' bounds. The version that
/// Orleans counts is therefore the number of events raised since activation, not the agent's version.
/// Source: docs/decisions/0007-grains-on-the-journal.md.
/// </remarks>
[Reentrant]
[GrainType("statehouse.agent")]
[RandomPlacement]
[LogConsistencyProvider(ProviderName = ProviderName)]
internal sealed partial class AgentStateGrain : JournaledGrain<AgentView, AgentAppend>, ICustomStorageInterface<AgentView, AgentAppend>, IAgentStateGrain
{
    internal const string ProviderName = "statehouse.journal";

    // Orleans counts events in an int. So many are left when the grain asks for a fresh activation, which counts anew.
    internal const int PositionsLeftMin = 16 * 1024 * 1024;

    private readonly AgentHosting _hosting;
    private readonly SiloChanges _silos;
    private readonly ResidentAgent? _agent;
    private readonly AgentReference _reference;
    private readonly GrainAppendQueue _queue;
    private readonly int _firstPosition;
    private TaskScheduler? _scheduler;

    public AgentStateGrain(AgentHosting hosting, SiloChanges silos, AgentGrainOptions options)
    {
        _hosting = hosting;
        _silos = silos;
        _firstPosition = options.FirstPosition;
        _queue = new GrainAppendQueue(hosting, TryRaise, ScheduleRaise);
        _reference = new AgentReference(() => Agent, hosting.Limits);
        try
        {
            _agent = new ResidentAgent(hosting, Identify(), _queue);
        }
        catch (RefusedException)
        {
            // Thrown from here it would arrive as a failure of Orleans; each call is refused instead.
        }
    }

    /// <exception cref="RefusedException">SH-1003, SH-1004. No agent has this grain's key: a gateway would never have called it.</exception>
    private ResidentAgent Agent => _agent ?? throw new InvariantBrokenException($"The grain of agent {Identify()} has no agent.");

    /// <summary>Loads nothing: the agent is read when it is first used, within its caller's bounds.</summary>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _scheduler = TaskScheduler.Current;
        await base.OnActivateAsync(cancellationToken);
        _hosting.OnArrived();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await OutliveHoldAsync(cancellationToken);
        _hosting.OnLeft();
        await base.OnDeactivateAsync(reason, cancellationToken);
    }

    public ValueTask<AgentHead> GetHeadAsync(Consistency consistency, CancellationToken cancellationToken) =>
        _reference.GetHeadAsync(consistency, cancellationToken);

    public ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken) =>
        _reference.GetAsync(request, cancellationToken);

    public ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken) =>
        _reference.ScanAsync(request, cancellationToken);

    public ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken) =>
        _reference.CommitAsync(request, cancellationToken);

    public ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken) =>
        _reference.GetCommitsAsync(request, cancellationToken);

    public ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken) =>
        _reference.GetCommitAsync(version, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayAsync(AgentVersion from, bool follow, CancellationToken cancellationToken) =>
        follow ? FollowAsync(from, cancellationToken) : _reference.ReplayAsync(from, follow: false, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayRangeAsync(CommitTs from, CommitTs to, CancellationToken cancellationToken) =>
        _reference.ReplayRangeAsync(from, to, cancellationToken);

    /// <summary>What the protocol starts from. Reads nothing, so it cannot fail: see the type's remarks.</summary>
    Task<KeyValuePair<int, AgentView>> ICustomStorageInterface<AgentView, AgentAppend>.ReadStateFromStorage() =>
        Task.FromResult(KeyValuePair.Create(Math.Max(_firstPosition, Version), new AgentView { State = _agent?.Confirmed }));

    /// <returns>Always true: each event carries its own outcome. See the type's remarks.</returns>
    async Task<bool> ICustomStorageInterface<AgentView, AgentAppend>.ApplyUpdatesToStorage(IReadOnlyList<AgentAppend> updates, int expectedVersion)
    {
        List<AppendBatch> batches = AppendBatch.Of(updates);
        await (batches.Count == 1
            ? batches[0].AppendAsync(_hosting.Journal)
            : Task.WhenAll(batches.Select(batch => batch.AppendAsync(_hosting.Journal))));
        _queue.OnEnded(updates);
        return true;
    }

    Task ICustomStorageInterface<AgentView, AgentAppend>.ClearStoredState() =>
        throw new NotSupportedException("An agent's journal is never cleared.");

    /// <summary>Confirmed by the protocol: the agent shows the commit, or takes it back, and tells its caller.</summary>
    protected override void TransitionState(AgentView state, AgentAppend @event)
    {
        @event.Tell();
        state.State = Agent.Confirmed;
    }

    /// <summary>Our storage never fails towards the protocol; where this is called all the same, an operator must know.</summary>
    protected override void OnConnectionIssue(ConnectionIssue issue) =>
        _hosting.Log.Write(OperatorLogLevel.Error, $"Orleans reports an issue with the journal of agent {_agent?.Agent}, which it should never see: {issue}", null);

    private AgentId Identify()
    {
        AgentId id = AgentGrainKey.Parse(this.GetPrimaryKeyString());
        CommitRules.CheckAgent(id, _hosting.Limits);
        return id;
    }

    private void ScheduleRaise() => Task.Factory.StartNew(
        static grain => ((AgentStateGrain)grain!).RaiseWaiting(), this, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _scheduler!);

    /// <summary>A commit that is decided in one of the grain's own turns, as most are, need not wait for another.</summary>
    private bool TryRaise(AgentAppend append)
    {
        if (TaskScheduler.Current != _scheduler)
            return false;
        Raise([append]);
        return true;
    }

    /// <summary>On the grain's scheduler: hands what was decided to the protocol, which writes one batch at a time.</summary>
    private void RaiseWaiting()
    {
        List<AgentAppend> appends = _queue.TakeAll();
        if (appends.Count > 0)
            Raise(appends);
    }

    private void Raise(List<AgentAppend> appends)
    {
        _ = RaiseAsync(appends);
        if (Version <= int.MaxValue - PositionsLeftMin)
            return;
        SendFollowersOn();
        DeactivateOnIdle();
    }

    /// <summary>Only this grain raises events, and always behind those that wait, so none is ever out of order; were one so, it was not written.</summary>
    private async Task RaiseAsync(List<AgentAppend> appends)
    {
        if (await RaiseConditionalEvents(appends))
            return;
        _queue.OnEnded(appends);
        foreach (AgentAppend append in appends)
        {
            append.Failed(new StateConflictException($"A commit of agent {Agent.Agent} was raised out of order. Nothing was written."));
            append.Tell();
        }
    }
}

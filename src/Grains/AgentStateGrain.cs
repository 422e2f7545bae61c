using Orleans.Concurrency;
using Orleans.EventSourcing;
using Orleans.Placement;
using Orleans.Providers;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// One agent as a grain: the same <see cref="ResidentAgent"/> that a single process hosts, which decides, pipelines and
/// reads; the commits it decides are raised as conditional events, and the grain's log is the journal.
/// </summary>
/// <remarks>Source: docs/decisions/0007-grains-on-the-journal.md.</remarks>
[Reentrant]
[GrainType("statehouse.agent")]
[RandomPlacement]
[LogConsistencyProvider(ProviderName = ProviderName)]
internal sealed partial class AgentStateGrain : JournaledGrain<AgentView, AgentAppend>, IAgentStateGrain, IResidentAgents
{
    internal const string ProviderName = "statehouse.journal";

    private readonly AgentHosting _hosting;
    private readonly SiloChanges _silos;
    private readonly ResidentAgent? _agent;
    private readonly AgentReference? _reference;

    public AgentStateGrain(AgentHosting hosting, SiloChanges silos)
    {
        _hosting = hosting;
        _silos = silos;
        try
        {
            _agent = new ResidentAgent(hosting, Identify(), new GrainAppendQueue(hosting.Journal, RaiseConditionalEvent));
            _reference = new AgentReference(this, _agent.Agent, hosting.Limits);
        }
        catch (RefusedException)
        {
            // Thrown from here it would arrive as a failure of Orleans; each call is refused instead.
        }
    }

    /// <exception cref="RefusedException">SH-1003, SH-1004. No agent has this grain's key: a gateway would never have called it.</exception>
    private ResidentAgent Agent => _agent ?? throw NoAgent();

    /// <exception cref="RefusedException">As <see cref="Agent"/>.</exception>
    private AgentReference Reference => _reference ?? throw NoAgent();

    /// <summary>Loads nothing: the agent is read when it is first used, within its caller's bounds.</summary>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
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
        Reference.GetHeadAsync(consistency, cancellationToken);

    public ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken) =>
        Reference.GetAsync(request, cancellationToken);

    public ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken) =>
        Reference.ScanAsync(request, cancellationToken);

    public ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken) =>
        Reference.CommitAsync(request, cancellationToken);

    public ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken) =>
        Reference.GetCommitsAsync(request, cancellationToken);

    public ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken) =>
        Reference.GetCommitAsync(version, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayAsync(AgentVersion from, bool follow, CancellationToken cancellationToken) =>
        follow ? FollowAsync(from, cancellationToken) : Reference.ReplayAsync(from, follow: false, cancellationToken);

    public IAsyncEnumerable<JournalCommit> ReplayRangeAsync(CommitTs from, CommitTs to, CancellationToken cancellationToken) =>
        Reference.ReplayRangeAsync(from, to, cancellationToken);

    /// <summary>On the journal's own thread: the agent shows the commit, or takes it back, and tells its caller.</summary>
    protected override void TransitionState(AgentView state, AgentAppend @event)
    {
        @event.Tell();
        state.State = Agent.Confirmed;
    }

    ResidentAgent IResidentAgents.Find(AgentId agent) => Agent;

    private InvariantBrokenException NoAgent() => new($"The grain of agent {Identify()} has no agent.");

    private AgentId Identify()
    {
        AgentId id = AgentGrainKey.Parse(this.GetPrimaryKeyString());
        CommitRules.CheckAgent(id, _hosting.Limits);
        return id;
    }
}

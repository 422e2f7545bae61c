using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// Makes references to agents' grains. Orleans works out by reflection, at each call, which grain type stands behind an
/// interface; here it is asked once (7 % of a commit's CPU time inside of a silo).
/// </summary>
internal sealed class AgentGrains(IGrainFactory grains)
{
    // Not before it is needed: a client knows the cluster's grain types only when it is connected.
    private readonly Lazy<(GrainType Type, GrainInterfaceType State, GrainInterfaceType Participant)> _types = new(
        () => Resolve(grains), LazyThreadSafetyMode.PublicationOnly);

    public IAgentStateGrain StateOf(AgentId agent) => (IAgentStateGrain)grains.GetGrain(IdOf(agent), _types.Value.State);

    /// <summary>null where this process is stopping and has let go of its client: nothing in it reaches a grain any more.</summary>
    public IAgentStateGrain? TryStateOf(AgentId agent)
    {
        try
        {
            return StateOf(agent);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    public IAgentParticipantGrain ParticipantOf(AgentId agent) => (IAgentParticipantGrain)grains.GetGrain(IdOf(agent), _types.Value.Participant);

    private GrainId IdOf(AgentId agent) => GrainId.Create(_types.Value.Type, IdSpan.Create(AgentGrainKey.Of(agent)));

    private static (GrainType Type, GrainInterfaceType State, GrainInterfaceType Participant) Resolve(IGrainFactory grains)
    {
        var state = (GrainReference)grains.GetGrain<IAgentStateGrain>("any");
        var participant = (GrainReference)grains.GetGrain<IAgentParticipantGrain>("any");
        return (state.GrainId.Type, state.InterfaceType, participant.InterfaceType);
    }
}

using Statehouse.Agents.Model;

namespace Statehouse.Grains;

/// <summary>What Orleans sees of an agent: its confirmed state, immutable and shared.</summary>
internal sealed class AgentView
{
    private volatile AgentState? _state;

    /// <summary>null until the agent was loaded and has committed.</summary>
    public AgentState? State
    {
        get => _state;
        set => _state = value;
    }
}

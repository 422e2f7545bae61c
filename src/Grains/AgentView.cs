using Orleans.Serialization.Cloning;
using Statehouse.Agents.Model;

namespace Statehouse.Grains;

/// <summary>What the log-consistency protocol sees of an agent: its confirmed state, immutable and shared.</summary>
internal sealed class AgentView
{
    /// <summary>null until the agent was loaded.</summary>
    public AgentState? State { get; set; }
}

/// <summary>The protocol copies views deeply; the state in them never changes, so a copy shares it.</summary>
[RegisterCopier]
internal sealed class AgentViewCopier : IDeepCopier<AgentView>
{
    public AgentView DeepCopy(AgentView input, CopyContext context) => new() { State = input.State };
}

using Statehouse.Agents;

namespace Statehouse.Grains;

/// <summary>
/// One agent as a grain: an Orleans client gets it by <see cref="AgentGrainKey.Of"/> and calls it as any
/// <see cref="IAgentState"/>. Refusals and faults arrive as the same exceptions as in one process.
/// </summary>
/// <remarks>
/// Silos are upgraded one at a time, so a call names its method in the same way for ever:
/// <c>("inv",[GrainRef],[statehouse.IAgentState],"C3A6E607")</c>. The third part is the alias of the interface that
/// declares the method (<see cref="StatehouseSerialization"/>), the last one Orleans' hash over that interface's full
/// name, the method's name and the full names of its parameter types; the methods have no alias of their own, since
/// IAgentState is free of Orleans. Therefore: a method may be added, which leaves the others' names alone; none may be
/// renamed or get, lose or change a parameter, and neither the interface nor a parameter's type may move to another
/// namespace. To change a method, add a second one. What a request or an answer holds may grow: its fields are numbered.
/// </remarks>
[Alias("statehouse.agent")]
public interface IAgentStateGrain : IGrainWithStringKey, IAgentState;

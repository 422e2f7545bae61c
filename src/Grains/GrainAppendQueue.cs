using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>What a grain's agent decides goes to the journal as events that the grain raises.</summary>
/// <param name="journal">Bounds what waits.</param>
/// <param name="raise">Raises one event. Called under the agent's lock, so in the order of decisions, on whichever thread decided.</param>
internal sealed class GrainAppendQueue(IAppendQueue journal, Func<AgentAppend, Task> raise) : IAppendQueue
{
    public bool TryAppend(AppendUnit unit, IAppendObserver observer)
    {
        var append = new AgentAppend(unit, observer);
        _ = raise(append);
        return append.TakeQueued();
    }

    public ValueTask WaitForRoomAsync(AgentId agent, CancellationToken cancellationToken) =>
        journal.WaitForRoomAsync(agent, cancellationToken);
}

using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// The event that the grain raises: a decided commit on its way to the journal. It never leaves the silo; what is kept
/// of it is the journal's commit.
/// </summary>
/// <param name="unit">One run of one agent.</param>
/// <param name="observer">Hears what became of it, once.</param>
internal sealed class AgentAppend(AppendUnit unit, IAppendObserver observer)
{
    private StatehouseException? _failure;
    private StatehouseException? _refusal;
    private bool _isQueued;

    public AppendUnit Unit { get; } = unit;

    /// <summary>What became of asking the journal for a place in its queue.</summary>
    public void Queued(bool isQueued) => _isQueued = isQueued;

    /// <summary>The journal takes nothing more.</summary>
    public void Refused(StatehouseException reason) => _refusal = reason;

    /// <returns>Whether it is on its way; false where the queue is full.</returns>
    /// <exception cref="JournalUnavailableException">SH-2001. The journal is closing.</exception>
    public bool TakeQueued() => _refusal is null ? _isQueued : throw _refusal;

    public void Failed(StatehouseException reason) => _failure = reason;

    /// <summary>Tells the agent, which then shows the commit or takes it back.</summary>
    public void Tell()
    {
        if (_failure is null)
            observer.OnAppended(Unit);
        else
            observer.OnFailed(Unit, _failure);
    }
}

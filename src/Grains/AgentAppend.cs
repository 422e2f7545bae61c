using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// The event that the grain raises: a decided commit on its way to the journal. It never leaves the silo; what is kept
/// of it is the journal's commit.
/// </summary>
/// <param name="unit">One run of one agent, of one commit.</param>
/// <param name="observer">Hears what became of it, once.</param>
internal sealed class AgentAppend(AppendUnit unit, IAppendObserver observer)
{
    private StatehouseException? _failure;
    private bool _told;

    public AppendRun Run { get; } = unit.Runs[0];

    public long Bytes { get; } = unit.Runs[0].Commits[0].Bytes;

    /// <summary>Whether this commit was decided on top of that one.</summary>
    public bool Follows(AgentAppend previous) =>
        Run.ExpectedHash == previous.Run.Commits[0].Hash && Run.ExpectedVersion == previous.Run.Commits[0].Version;

    public void Succeeded(CommitTs commitTs)
    {
        Run.CommitTs[0] = commitTs;
        unit.Outcome = AppendOutcome.Appended;
    }

    public void Failed(StatehouseException reason) => _failure = reason;

    /// <summary>Tells the agent, which then shows the commit or takes it back.</summary>
    public void Tell()
    {
        if (_told)
            return;
        _told = true;
        if (unit.Outcome == AppendOutcome.Appended)
            observer.OnAppended(unit);
        else
            observer.OnFailed(unit, _failure ?? new InvariantBrokenException($"A commit of agent {Run.Handle.Agent} was neither appended nor refused."));
    }
}

using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>An execution at one version: what rules decide on.</summary>
/// <param name="Agent">Which.</param>
/// <param name="Run">What changes rarely.</param>
/// <param name="Mark">Where it stands.</param>
/// <param name="Version">Of its last commit.</param>
/// <param name="CommitTs">Of its last commit.</param>
/// <param name="Time">Of its last commit.</param>
/// <param name="RunIsNewest">The last commit wrote <paramref name="Run"/>: it was no plain checkpoint.</param>
public sealed record ExecutionView(
    AgentId Agent, ExecutionRun Run, StepMark Mark, AgentVersion Version, CommitTs CommitTs, CommitTime Time, bool RunIsNewest)
{
    /// <summary>
    /// From when on a claim may have it: what <see cref="Run"/> says, or, where a checkpoint came after, the time of that
    /// checkpoint and the recovery timeout, whichever is later. null where it is paused or final.
    /// </summary>
    public CommitTime? DueAt => RunIsNewest ? Run.DueAt : DueAfter(Run, Time);

    /// <summary>When it is due after a checkpoint at this time.</summary>
    public static CommitTime? DueAfter(ExecutionRun run, CommitTime checkpoint)
    {
        if (run.DueAt is not { } due)
            return null;
        CommitTime extended = Later(checkpoint, run.Settings.RecoveryTimeoutMs);
        return due > extended ? due : extended;
    }

    public static CommitTime Later(CommitTime time, long milliseconds) => new(time.UnixMicroseconds + milliseconds * 1000);

    /// <summary>The execution in an agent's state; null where the state holds none.</summary>
    public static ExecutionView? Of(AgentState state)
    {
        if (state.Keys.Find(ExecutionKeys.Run) is not { IsLive: true } run || state.Keys.Find(ExecutionKeys.Step) is not { IsLive: true } step)
            return null;
        return new ExecutionView(
            state.Agent, RunCodec.Known(run), StepMark.Parse(step.Value), state.Version, state.Stamp.CommitTs, state.Stamp.Time,
            run.Stamp.Version == state.Version);
    }
}

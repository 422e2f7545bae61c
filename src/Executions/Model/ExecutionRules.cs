using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>
/// What may happen to an execution, and what it writes. Pure. A decision holds for exactly the version that it was made
/// on, so what was checked here is checked again by the commit.
/// </summary>
public static class ExecutionRules
{
    private const int WholeBytesPerStep = 512;

    // Each is remembered for good, so that its steps can be found.
    private const int RestoresMax = 1000;

    /// <summary>The next checkpoint. A plain one writes the step and the state, nothing else.</summary>
    /// <param name="view">Decided on.</param>
    /// <param name="step">0..<see cref="StepMark.StepMax"/>.</param>
    /// <param name="state">Checked.</param>
    /// <param name="token">As the caller gave it.</param>
    /// <param name="now">The clock's reading.</param>
    public static ExecutionDecision Checkpoint(ExecutionView view, long step, JsonText state, long? token, CommitTime now)
    {
        if (Fence(view, token, now, needsToken: true) is { } stale)
            return ExecutionDecision.Refuse(view, stale);
        bool mayWrite = view.Run.Status is ExecutionStatus.Pending or ExecutionStatus.Running;
        if (view.Mark.Step is { } last && step <= last)
            return ExecutionDecision.Refuse(view, ExecutionRefusals.Step(view, step)) with { MayBeRepeat = step == last };
        if (!mayWrite)
            return ExecutionDecision.Refuse(view, ExecutionRefusals.Status(view, "A checkpoint"));
        long number = view.Mark.Count + 1;
        bool isWhole = view.Mark.Whole == 0 || number - view.Mark.Whole >= WholeEvery(view.Run.Settings, state.Length);
        var mark = new StepMark(step, number, state.Length, isWhole ? number : view.Mark.Whole);
        Operation put = ExecutionDecision.PutState(state, isWhole);
        if (view.Run.Status == ExecutionStatus.Pending)
            return ExecutionDecision.Write(Running(view.Run, now), mark, put);
        return new ExecutionDecision(
            [ExecutionDecision.Put(ExecutionKeys.Step, mark.ToJson()), put], view.Run, mark);
    }

    /// <summary>Extends the lease to now and the recovery timeout.</summary>
    public static ExecutionDecision Heartbeat(ExecutionView view, long? token, CommitTime now)
    {
        if (Fence(view, token, now, needsToken: true) is { } stale)
            return ExecutionDecision.Refuse(view, stale);
        if (view.Run.Status != ExecutionStatus.Running)
            return ExecutionDecision.Refuse(view, ExecutionRefusals.Status(view, "A heartbeat"));
        if (view.Run.Worker is null)
            return ExecutionDecision.Refuse(view, ExecutionRefusals.Conflict(view, $"Nobody holds a lease of execution \"{view.Agent.Name}\"."));
        CommitTime until = ExecutionView.Later(now, view.Run.Settings.RecoveryTimeoutMs);
        return ExecutionDecision.Write(view.Run with { DueAt = until > view.DueAt ? until : view.DueAt }, view.Mark);
    }

    /// <summary>Pause, resume, complete, fail, cancel.</summary>
    /// <param name="view">Decided on.</param>
    /// <param name="change">Which.</param>
    /// <param name="token">As the caller gave it.</param>
    /// <param name="now">The clock's reading.</param>
    public static ExecutionDecision Change(ExecutionView view, StatusChange change, long? token, CommitTime now)
    {
        bool needsToken = change.To is ExecutionStatus.Completed or ExecutionStatus.Failed;
        if (Fence(view, token, now, needsToken) is { } stale)
            return ExecutionDecision.Refuse(view, stale);
        if (!MayBecome(view.Run.Status, change.To))
            return ExecutionDecision.Refuse(view, ExecutionRefusals.Status(view, Doing(change.To)));
        ExecutionRun run = view.Run with
        {
            Status = change.To,
            Worker = null,
            DueAt = change.To == ExecutionStatus.Running ? now : null,
            StartedAt = change.To == ExecutionStatus.Running ? view.Run.StartedAt ?? now : view.Run.StartedAt,
            FinishedAt = change.To.IsFinal() ? now : null,
            Error = change.Error,
            HasResult = !change.Result.IsAbsent,
            Reason = change.Reason,
        };
        return change.Result.IsAbsent
            ? ExecutionDecision.Write(run, view.Mark)
            : ExecutionDecision.Write(run, view.Mark, ExecutionDecision.Put(ExecutionKeys.Result, change.Result));
    }

    /// <summary>Makes an old state the latest, and the execution pending again.</summary>
    /// <param name="view">Decided on.</param>
    /// <param name="step">Which step the state is of.</param>
    /// <param name="state">It.</param>
    /// <param name="token">As the caller gave it.</param>
    /// <param name="now">The clock's reading.</param>
    public static ExecutionDecision Restore(ExecutionView view, long step, JsonText state, long? token, CommitTime now)
    {
        if (Fence(view, token, now, needsToken: false) is { } stale)
            return ExecutionDecision.Refuse(view, stale);
        if (view.Run.Restores.Length >= RestoresMax)
            return ExecutionDecision.Refuse(view, ExecutionRefusals.TooManyRestores(view, RestoresMax));
        ExecutionRun run = view.Run with
        {
            Status = ExecutionStatus.Pending,
            Worker = null,
            Attempt = 0,
            DueAt = now,
            FinishedAt = null,
            Error = default,
            HasResult = false,
            Reason = null,
            Restores = view.Run.Restores.Add(new RestoreMark(view.Version.Next, step)),
        };
        StepMark mark = view.Mark with { Step = step, StateBytes = state.Length };
        Operation put = ExecutionDecision.PutState(state, isWhole: true);
        return view.Run.HasResult
            ? ExecutionDecision.Write(run, mark, put, new Operation(OperationKind.Delete, ExecutionKeys.Result))
            : ExecutionDecision.Write(run, mark, put);
    }

    /// <summary>Gives a checkpoint a name.</summary>
    /// <param name="view">Decided on.</param>
    /// <param name="label">What the name stands for.</param>
    /// <param name="token">As the caller gave it.</param>
    /// <param name="now">The clock's reading.</param>
    public static ExecutionDecision Name(ExecutionView view, SnapshotLabel label, long? token, CommitTime now)
    {
        if (Fence(view, token, now, needsToken: false) is { } stale)
            return ExecutionDecision.Refuse(view, stale);
        if (view.Run.SnapshotCount >= SnapshotLabel.CountMax)
            return ExecutionDecision.Refuse(view, RefusedException.Invalid("name", $"one of at most {SnapshotLabel.CountMax} snapshots", "one more"));
        return ExecutionDecision.Write(
            Unmoved(view) with { SnapshotCount = view.Run.SnapshotCount + 1 }, view.Mark,
            ExecutionDecision.Put(ExecutionKeys.Snapshot(label.Name), label.ToJson()) with { IfLive = false });
    }

    /// <summary>Takes a name away. Parameters as of <see cref="Name(ExecutionView, SnapshotLabel, long?, CommitTime)"/>.</summary>
    public static ExecutionDecision Unname(ExecutionView view, string name, long? token, CommitTime now)
    {
        if (Fence(view, token, now, needsToken: false) is { } stale)
            return ExecutionDecision.Refuse(view, stale);
        return ExecutionDecision.Write(
            Unmoved(view) with { SnapshotCount = view.Run.SnapshotCount - 1 }, view.Mark,
            new Operation(OperationKind.Delete, ExecutionKeys.Snapshot(name)) { IfLive = true });
    }

    /// <summary>The run for a commit that is no sign of life: it is due when it was.</summary>
    private static ExecutionRun Unmoved(ExecutionView view) => view.Run with { DueAt = view.DueAt };

    /// <summary>The refusal of a write whose caller may no longer write, or must show that it may.</summary>
    /// <param name="view">Decided on.</param>
    /// <param name="given">The caller's token; null = none.</param>
    /// <param name="now">The clock's reading.</param>
    /// <param name="needsToken">While somebody holds the lease, only the holder may do this.</param>
    internal static StatehouseException? Fence(ExecutionView view, long? given, CommitTime now, bool needsToken)
    {
        bool held = view.Run.Worker is not null;
        bool fine = given is { } token
            ? held && token == view.Run.Token
            : !needsToken || !held || view.DueAt is not { } until || until <= now;
        return fine ? null : ExecutionRefusals.Token(view, given);
    }

    /// <summary>
    /// How many checkpoints apart whole states are kept: the interval, and more where a state is so large that the whole
    /// ones would outweigh small differences. Spread over the steps between, a whole one costs 512 bytes a step at most.
    /// </summary>
    internal static long WholeEvery(ExecutionSettings settings, long stateBytes) =>
        Math.Max(settings.CheckpointInterval, stateBytes / WholeBytesPerStep);

    internal static ExecutionRun Running(ExecutionRun run, CommitTime now) => run with
    {
        Status = ExecutionStatus.Running,
        StartedAt = run.StartedAt ?? now,
        DueAt = ExecutionView.Later(now, run.Settings.RecoveryTimeoutMs),
    };

    /// <summary>The table of docs/executions.md, without claim, checkpoint and restore, which have rules of their own.</summary>
    internal static bool MayBecome(ExecutionStatus from, ExecutionStatus to) => (from, to) switch
    {
        (ExecutionStatus.Pending, ExecutionStatus.Completed) => false,
        (ExecutionStatus.Pending, _) => true,
        (ExecutionStatus.Running, ExecutionStatus.Running) => false,
        (ExecutionStatus.Running, _) => true,
        (ExecutionStatus.Paused, ExecutionStatus.Running or ExecutionStatus.Failed or ExecutionStatus.Cancelled) => true,
        _ => false,
    };

    private static string Doing(ExecutionStatus to) => to switch
    {
        ExecutionStatus.Running => "Resuming it",
        ExecutionStatus.Paused => "Pausing it",
        ExecutionStatus.Completed => "Completing it",
        ExecutionStatus.Failed => "Failing it",
        _ => "Cancelling it",
    };
}

/// <summary>A status that a caller asks for.</summary>
/// <param name="To">Running (resume), paused, completed, failed or cancelled.</param>
/// <param name="Result">For completed; absent where there is none.</param>
/// <param name="Error">For failed: <c>{"message","type"?,"details"?}</c>.</param>
/// <param name="Reason">For paused and cancelled.</param>
public sealed record StatusChange(ExecutionStatus To, JsonText Result = default, JsonText Error = default, string? Reason = null);

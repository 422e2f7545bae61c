using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>Who may have an execution next. Pure, as <see cref="ExecutionRules"/>.</summary>
public static class ClaimRules
{
    /// <summary>What the error says of an execution whose attempts are used up.</summary>
    public const string AttemptsExhausted = "attempts_exhausted";

    /// <summary>Whether it waits for somebody: pending, or running with a lease that ran out.</summary>
    public static bool IsDue(ExecutionView view, CommitTime now) =>
        view.Run.Status is ExecutionStatus.Pending or ExecutionStatus.Running && view.DueAt is { } due && due <= now;

    /// <summary>
    /// Hands it out under the next token; where its attempts are used up, it fails instead. null where it is not due
    /// (any more).
    /// </summary>
    /// <param name="view">Decided on.</param>
    /// <param name="worker">Who gets it.</param>
    /// <param name="leaseMs">How long; null = the execution's recovery timeout.</param>
    /// <param name="now">The clock's reading.</param>
    public static ExecutionDecision? Claim(ExecutionView view, string worker, long? leaseMs, CommitTime now)
    {
        if (!IsDue(view, now))
            return null;
        if (view.Run.Attempt >= view.Run.MaxAttempts)
            return Exhausted(view, now);
        return ExecutionDecision.Write(Held(view.Run, worker, leaseMs, now), view.Mark);
    }

    /// <summary>The run with a lease handed out.</summary>
    internal static ExecutionRun Held(ExecutionRun run, string worker, long? leaseMs, CommitTime now) =>
        ExecutionRules.Running(run, now) with
        {
            Attempt = run.Attempt + 1,
            Token = run.Token + 1,
            Worker = worker,
            DueAt = ExecutionView.Later(now, leaseMs ?? run.Settings.RecoveryTimeoutMs),
        };

    private static ExecutionDecision Exhausted(ExecutionView view, CommitTime now)
    {
        JsonText error = JsonText.Trusted(System.Text.Encoding.UTF8.GetBytes(string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{{\"message\":\"Each of {view.Run.MaxAttempts} attempts ended without a result.\",\"type\":\"{AttemptsExhausted}\"}}")));
        ExecutionRun run = view.Run with
        {
            Status = ExecutionStatus.Failed, Worker = null, DueAt = null, FinishedAt = now, Error = error,
        };
        return ExecutionDecision.Write(run, view.Mark);
    }
}

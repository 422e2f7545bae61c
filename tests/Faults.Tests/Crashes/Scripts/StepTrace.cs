using Statehouse.Journal;

namespace Statehouse.Faults.Tests.Crashes;

/// <summary>The crash points that a script's steps come to, in their order.</summary>
/// <param name="inWrite">Between what is written and its commit: what the store has.</param>
internal sealed class StepTrace(CrashPoint inWrite)
{
    // At no particular moment of a step.
    private static readonly HashSet<CrashPoint> s_beside =
        [CrashPoint.WhileOpening, CrashPoint.InMigration, CrashPoint.InLoad, CrashPoint.InSnapshot, CrashPoint.InThinning];

    /// <summary>Whether it comes at no particular moment of a step.</summary>
    public static bool IsBeside(CrashPoint point) => s_beside.Contains(point);

    /// <summary>What the steps come to, one after the other, without end.</summary>
    public IEnumerable<(Step Step, CrashPoint Point)> OfAllSteps(string @namespace)
    {
        for (int number = 1; ; number++)
        {
            var step = new Step(number, @namespace);
            foreach (CrashPoint point in Of(step))
                yield return (step, point);
        }
    }

    /// <summary>Without the points that come at no particular moment.</summary>
    public static IReadOnlyList<CrashPoint> OfSteps(IEnumerable<CrashPoint> trace) => [.. trace.Where(point => !s_beside.Contains(point))];

    public IReadOnlyList<CrashPoint> Of(Step step) => step.IsTogether
        ?
        [
            CrashPoint.AfterDecide, CrashPoint.BetweenHolds, CrashPoint.AfterDecide, CrashPoint.BeforeAppend, inWrite,
            CrashPoint.AfterCommitBeforeReply, CrashPoint.BeforeParticipantsAreTold, CrashPoint.BetweenParticipants,
        ]
        : [CrashPoint.AfterDecide, CrashPoint.BeforeAppend, inWrite, CrashPoint.AfterCommitBeforeReply];
}

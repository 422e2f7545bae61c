using Statehouse.Faults.History;

namespace Statehouse.Faults.Runs;

/// <summary>What a history says in figures.</summary>
internal static class RunFigures
{
    public static bool IsAcknowledgedCommit(RecordedCall call) => call.Result switch
    {
        { Outcome: Outcome.Ok, Answer: CommitAnswer } => true,
        { Outcome: Outcome.Ok, Answer: TransactionAnswer { Shares.Count: > 0 } } => true,
        _ => false,
    };

    public static IReadOnlyList<CallCount> Count(IEnumerable<RecordedCall> calls) =>
        [.. from call in calls
            group call by (call.Workload, call.Protocol, call.Result.Outcome, Code: call.Result.Code ?? "") into same
            orderby same.Key
            select new CallCount(same.Key.Workload, same.Key.Protocol, same.Key.Outcome, same.Key.Code, same.LongCount())];

    /// <summary>Between the first and the last acknowledged commit.</summary>
    public static Silence LongestSilence(IEnumerable<RecordedCall> calls)
    {
        var longest = new Silence(TimeSpan.Zero, TimeSpan.Zero);
        TimeSpan? last = null;
        foreach (TimeSpan at in calls.Where(IsAcknowledgedCommit).Select(call => TimeSpan.FromMicroseconds(call.EndedAt)).Order())
        {
            if (last is { } before && at - before > longest.Length)
                longest = new Silence(before, at - before);
            last = at;
        }
        return longest;
    }
}

using Statehouse.Faults.Clients;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>
/// Servers, networks and disks may fail, but no answer may say that a server met its own bug, and none that came whole may be
/// nonsense. Outcomes are not in question here: a call that is unknown for other rules breaks this one.
/// </summary>
internal static class AnswerRules
{
    public static void Check(IReadOnlyList<RecordedCall> calls, Findings findings)
    {
        foreach (RecordedCall call in calls)
        {
            findings.Count(Rule.Answers);
            if (call.Result.Code is { } code && IsNever(code))
                findings.Broken(Rule.Answers, $"A server answered {code} over {call.Protocol}: {call.Result.Detail}", call);
        }
    }

    /// <summary>What a client that is cut off sees is a transport's word, and never one of these.</summary>
    private static bool IsNever(string code) =>
        code.StartsWith("SH-9", StringComparison.Ordinal)
        || code.StartsWith("http-5", StringComparison.Ordinal)
        || code.StartsWith("http-2", StringComparison.Ordinal)
        || code is CallFailure.BrokenReply or CallFailure.GrpcUnknown or CallFailure.GrpcInternal;
}

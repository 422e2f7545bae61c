using System.Diagnostics;
using Statehouse.Faults.Checker.Search;

namespace Statehouse.Faults.Checker;

/// <summary>Judges a run by all that is known of it. Pure: the same evidence gives the same verdict.</summary>
public static class RunChecker
{
    /// <summary>Checks every rule of <see cref="Rule"/>. Workloads' own rules are theirs to check.</summary>
    /// <param name="evidence">
    /// Whole: a commit that no recorded call accounts for is a violation, so preparations must be recorded too.
    /// </param>
    /// <param name="options">What has to be known of the system.</param>
    public static Verdict Check(RunEvidence evidence, CheckOptions options)
    {
        long began = Stopwatch.GetTimestamp();
        var findings = new Findings(options.ViolationsPerRuleMax);
        var index = new EvidenceIndex(evidence);
        JournalRules.Check(evidence, index, findings);
        new CommitRules(index, options, findings).Check();
        new RefusalRules(index, options, findings).Check(evidence.Calls);
        IReadOnlyList<Placement> placements = new ReadRules(index, options, findings).Check(evidence.Calls);
        new OrderRules(index, findings).Check(placements);
        new SearchRules(new SearchHistory(evidence, index, placements), options, findings).Check();
        FeedRules.Check(evidence, index, findings);
        new FeedReaderRules(evidence.Feed, findings).Check(evidence.FeedSeen);
        AnswerRules.Check(evidence.Calls, findings);
        return findings.Verdict(Stopwatch.GetElapsedTime(began));
    }
}

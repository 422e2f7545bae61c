using Statehouse.Faults.Checker;

namespace Statehouse.Faults.Tests.Checker;

/// <summary>Asserts what the checker says of evidence.</summary>
internal static class Judge
{
    public static Verdict Passes(RunEvidence evidence, CheckOptions? options = null)
    {
        Verdict verdict = RunChecker.Check(evidence, options ?? new CheckOptions());
        Assert.True(verdict.IsClean, Words(verdict));
        return verdict;
    }

    /// <summary>The rule is broken. Others may be too, where the one implies them.</summary>
    public static Violation Fails(RunEvidence evidence, string rule, CheckOptions? options = null)
    {
        Verdict verdict = RunChecker.Check(evidence, options ?? new CheckOptions());
        Violation? found = verdict.Violations.FirstOrDefault(violation => violation.Rule == rule);
        Assert.True(found is not null, $"not found: {rule}; found:\n{Words(verdict)}");
        Assert.True(verdict.Violated[rule] > 0);
        return found;
    }

    /// <summary>The rule is broken and no other.</summary>
    public static Violation FailsOnly(RunEvidence evidence, string rule, CheckOptions? options = null)
    {
        Violation found = Fails(evidence, rule, options);
        Verdict verdict = RunChecker.Check(evidence, options ?? new CheckOptions());
        Assert.True(verdict.Violated.Keys.SequenceEqual([rule]), Words(verdict));
        return found;
    }

    private static string Words(Verdict verdict) => string.Join("\n", [.. verdict.Violations.Select(ViolationText.Of), .. verdict.Undecided]);
}

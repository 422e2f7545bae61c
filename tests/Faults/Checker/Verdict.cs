namespace Statehouse.Faults.Checker;

/// <summary>What the checker found.</summary>
/// <param name="Violations">Spelled out, at most <see cref="CheckOptions.ViolationsPerRuleMax"/> of a rule.</param>
/// <param name="Checked">How many things each rule was tried on, by rule: commits, reads, calls, … whatever the rule speaks of.</param>
/// <param name="Violated">How often each rule was found broken, also what is not spelled out; rules that hold are not in it.</param>
/// <param name="Undecided">What could not be decided within the bounds, one sentence each. A run with any has not passed.</param>
/// <param name="Elapsed">How long the check took.</param>
public sealed record Verdict(
    IReadOnlyList<Violation> Violations,
    IReadOnlyDictionary<string, long> Checked,
    IReadOnlyDictionary<string, long> Violated,
    IReadOnlyList<string> Undecided,
    TimeSpan Elapsed)
{
    /// <summary>Nothing broken, and nothing left undecided.</summary>
    public bool IsClean => Violations.Count == 0 && Undecided.Count == 0;
}

using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>Gathers what the checks find and count.</summary>
internal sealed class Findings(int violationsPerRuleMax)
{
    private readonly List<Violation> _violations = [];
    private readonly SortedDictionary<string, long> _checked = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _violated = new(StringComparer.Ordinal);
    private readonly List<string> _undecided = [];

    public void Count(string rule, long things = 1) => _checked[rule] = _checked.GetValueOrDefault(rule) + things;

    public void Broken(string rule, string message, params IEnumerable<RecordedCall> calls)
    {
        long before = _violated.GetValueOrDefault(rule);
        _violated[rule] = before + 1;
        if (before < violationsPerRuleMax)
            _violations.Add(new Violation(rule, message, [.. calls.Distinct().OrderBy(call => call.Number)]));
    }

    /// <summary>Whether anything was found broken so far.</summary>
    public bool IsBroken => _violated.Count > 0;

    public void Undecided(string what) => _undecided.Add(what);

    public Verdict Verdict(TimeSpan elapsed) => new(_violations, _checked, _violated, _undecided, elapsed);
}

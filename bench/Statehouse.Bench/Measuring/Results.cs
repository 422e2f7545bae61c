using System.Globalization;
using System.Text.Json;

namespace Statehouse.Bench.Measuring;

/// <summary>Prints what was measured as it comes, and writes each measure as one line of JSON.</summary>
/// <param name="output">For people.</param>
/// <param name="json">For programs; null = nowhere.</param>
/// <param name="judges">Whether goals are compared with: a smoke run's numbers mean nothing.</param>
internal sealed class Results(TextWriter output, TextWriter? json, bool judges = true)
{
    private readonly List<(CaseResult Result, Goal Goal)> _goals = [];
    private readonly List<(CaseResult Result, Goal? Goal)> _all = [];
    private readonly List<string> _facts = [];
    private readonly List<string> _tables = [];

    public TextWriter Output => output;

    /// <summary>Every measure so far, with what it should reach.</summary>
    public IReadOnlyList<(CaseResult Result, Goal? Goal)> All => _all;

    /// <summary>What was said of the machine, of what ran on it, and of what is not comparable.</summary>
    public IReadOnlyList<string> Facts => _facts;

    /// <summary>In Markdown, what stands above the measures in a document.</summary>
    public IReadOnlyList<string> Tables => _tables;

    public void Say(string line) => output.WriteLine(line);

    public void AddTable(string markdown)
    {
        _tables.Add(markdown);
        Say(markdown);
    }

    /// <summary>Says something without which the figures say nothing.</summary>
    public void SayFact(string line)
    {
        _facts.Add(line);
        Say(line);
    }

    /// <param name="result">What was measured.</param>
    /// <param name="goal">What it should reach; null where there is no goal.</param>
    /// <param name="remark">Goes behind it, for people only.</param>
    public void Add(CaseResult result, Goal? goal = null, string? remark = null)
    {
        _all.Add((result, judges ? goal : null));
        output.WriteLine($"{result.Figure,-12} {result.Case}: {Shown(result)}{(remark is null ? "" : $"; {remark}")}");
        if (judges && goal is { } wanted)
        {
            _goals.Add((result, wanted));
            output.WriteLine($"{"",-12} {Verdict(result, wanted)}");
        }
        output.Flush();
        json?.WriteLine(JsonSerializer.Serialize(result));
        json?.Flush();
    }

    /// <summary>Goals, one line each.</summary>
    public void Sum()
    {
        if (_goals.Count == 0)
            return;
        output.WriteLine();
        foreach ((CaseResult result, Goal goal) in _goals)
            output.WriteLine($"{result.Figure,-12} {result.Case}: {Number(result.Median)} {result.Unit}; {Verdict(result, goal)}");
    }

    /// <summary>Three digits that count, or all of a large number's whole ones.</summary>
    public static string Number(double value)
    {
        if (value == 0 || double.IsNaN(value))
            return value.ToString(CultureInfo.InvariantCulture);
        int decimals = Math.Clamp(2 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 6);
        return value.ToString($"n{decimals}", CultureInfo.InvariantCulture);
    }

    private static string Verdict(CaseResult result, Goal goal) =>
        $"goal {(goal.IsFloor ? "≥" : "≤")} {Number(goal.Value)} {result.Unit}: {(goal.IsReachedBy(result.Median) ? "reached" : "NOT reached")}";

    private static string Shown(CaseResult result)
    {
        string range = result.Runs == 1 ? "" : $" ({Number(result.Min)}–{Number(result.Max)}, {result.Runs} runs)";
        string latency = result.P50Ms is null
            ? ""
            : $"; p50 {Number(result.P50Ms.Value)}, p90 {Number(result.P90Ms!.Value)}, p99 {Number(result.P99Ms!.Value)}, p99.9 {Number(result.P999Ms!.Value)} ms";
        return $"{Number(result.Median)} {result.Unit}{range}{latency}";
    }
}

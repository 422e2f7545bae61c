using System.Globalization;
using System.Text;
using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Runs;

/// <summary>A report as Markdown. How to read it: docs/testing.md.</summary>
public static class ReportText
{
    private const int CallsShownMax = 40;

    public static string Of(RunReport report)
    {
        var text = new StringBuilder();
        Head(text, report);
        Calls(text, report);
        Schedule(text, report);
        Checks(text, report.Verdict);
        Violations(text, report.Verdict);
        return text.ToString();
    }

    /// <summary>Of a history that was checked again.</summary>
    public static string Of(Verdict verdict)
    {
        var text = new StringBuilder();
        Checks(text, verdict);
        Violations(text, verdict);
        return text.ToString();
    }

    /// <summary>One line, for the end of a run.</summary>
    public static string Summary(RunReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"{report.System}, seed {report.Options.Seed}: {(report.IsClean ? "clean" : Word(report.Verdict))}; {report.Operations} operations, {report.FaultsDone} faults, {report.Verdict.Checked.Values.Sum()} checks");

    private static string Word(Verdict verdict) =>
        verdict.Violations.Count > 0 ? $"{verdict.Violations.Count} VIOLATIONS" : $"UNDECIDED ({verdict.Undecided.Count})";

    private static void Head(StringBuilder text, RunReport report)
    {
        Line(text, $"# Faults: {report.System}, seed {report.Options.Seed}\n");
        Line(text, $"**{(report.IsClean ? "Clean." : Word(report.Verdict))}** {report.Operations:N0} operations, {report.FaultsDone} faults, {report.Verdict.Checked.Values.Sum():N0} checks in {report.Elapsed:h\\:mm\\:ss}, of which the check took {report.Verdict.Elapsed.TotalSeconds:0.0} s.\n");
        Line(text, "| | |");
        Line(text, "|---|---|");
        Line(text, $"| configuration | {report.System} |");
        Line(text, $"| seed | {report.Options.Seed} |");
        Line(text, $"| clients worked | {report.Options.Duration.TotalMinutes:0.##} min |");
        Line(text, $"| clients per workload | {report.Options.ClientsPerWorkload} |");
        Line(text, $"| workloads | {string.Join(", ", report.Workloads)} |");
        Line(text, $"| longest time without an acknowledged commit | {report.Silence.Length.TotalSeconds:0.0} s, from {report.Silence.From.TotalSeconds:0.0} s on |");
        foreach (string end in report.Ends)
            Line(text, $"| processes | {Cell(end)} |");
        if (report.KeptFolder is not null)
            Line(text, $"| kept | `{report.KeptFolder}` |");
        Line(text, $"\nThe same schedule and the same clients again: `{report.Replay}`");
    }

    private static void Calls(StringBuilder text, RunReport report)
    {
        Line(text, "\n## Operations\n\n| workload | protocol | ok | refused | unknown |\n|---|---|---|---|---|");
        foreach (var row in report.Calls.GroupBy(count => (count.Workload, count.Protocol)).OrderBy(row => row.Key))
            Line(text, $"| {row.Key.Workload} | {row.Key.Protocol} | {Sum(row, Outcome.Ok)} | {Sum(row, Outcome.Refused)} | {Sum(row, Outcome.Unknown)} |");
        Line(text, $"| all | | {Sum(report.Calls, Outcome.Ok)} | {Sum(report.Calls, Outcome.Refused)} | {Sum(report.Calls, Outcome.Unknown)} |");
        Line(text, "\n| not ok | outcome | how often |\n|---|---|---|");
        foreach (var row in report.Calls.Where(count => count.Outcome != Outcome.Ok).GroupBy(count => (count.Code, count.Outcome)).OrderByDescending(row => row.Sum(count => count.Count)))
            Line(text, $"| {row.Key.Code} | {row.Key.Outcome.ToString().ToLowerInvariant()} | {row.Sum(count => count.Count)} |");
    }

    private static void Schedule(StringBuilder text, RunReport report)
    {
        Line(text, "\n## Faults\n\n| fault | done | not done |\n|---|---|---|");
        foreach (var row in report.Schedule.GroupBy(fault => fault.Plan.Fault).OrderBy(row => row.Key, StringComparer.Ordinal))
            Line(text, $"| {row.Key} | {row.Count(fault => fault.IsDone)} | {row.Count(fault => !fault.IsDone)} |");
        Line(text, "\n| | planned s | from s | to s | fault | what |\n|---|---|---|---|---|---|");
        foreach (DoneFault fault in report.Schedule)
            Line(text, $"| {fault.Plan.Number} | {fault.Plan.At.TotalSeconds:0.0} | {fault.At.TotalSeconds:0.0} | {fault.HealedAt.TotalSeconds:0.0} | {fault.Plan.Fault} | {Cell(fault.What)} |");
    }

    private static void Checks(StringBuilder text, Verdict verdict)
    {
        Line(text, "\n## Checks\n\n| rule | tried on | broken |\n|---|---|---|");
        foreach (string rule in verdict.Checked.Keys.Union(verdict.Violated.Keys).Order(StringComparer.Ordinal))
            Line(text, $"| {rule} | {verdict.Checked.GetValueOrDefault(rule)} | {verdict.Violated.GetValueOrDefault(rule)} |");
        foreach (string undecided in verdict.Undecided)
            Line(text, $"\nUndecided: {undecided}");
    }

    private static void Violations(StringBuilder text, Verdict verdict)
    {
        if (verdict.Violations.Count == 0)
            return;
        Line(text, "\n## Violations");
        foreach (Violation violation in verdict.Violations)
        {
            Line(text, $"\n### {violation.Rule}\n\n{violation.Message}");
            if (violation.Calls.Count == 0)
                continue;
            Line(text, "\n```text");
            foreach (RecordedCall call in violation.Calls.Take(CallsShownMax))
                Line(text, CallText.Of(call));
            if (violation.Calls.Count > CallsShownMax)
                Line(text, $"… and {violation.Calls.Count - CallsShownMax} more");
            Line(text, "```");
        }
    }

    private static long Sum(IEnumerable<CallCount> counts, Outcome outcome) => counts.Where(count => count.Outcome == outcome).Sum(count => count.Count);

    private static string Cell(string text) => text.Replace('\n', ' ').Replace("|", "\\|", StringComparison.Ordinal);

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}

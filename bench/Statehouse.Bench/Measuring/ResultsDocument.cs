using System.Globalization;
using System.Text;

namespace Statehouse.Bench.Measuring;

/// <summary>
/// bench/RESULTS.md: written by runs of the benchmark and by nothing else. Each kind of run has a part of its own in it and
/// leaves the others' as they are.
/// </summary>
internal static class ResultsDocument
{
    private const string Head = """
        # Results

        Written by the benchmark with `--results`: each part by the run that it names, as that run printed it. What the figures are and
        how they are measured: [README.md](README.md).

        """;

    /// <summary>Writes one part anew, behind the others where it is new.</summary>
    /// <param name="file">Made where it is not there.</param>
    /// <param name="part">Its name, for instance <c>peers</c>.</param>
    /// <param name="text">Markdown.</param>
    public static async Task WriteAsync(string file, string part, string text)
    {
        string now = File.Exists(file) ? await File.ReadAllTextAsync(file) : Head;
        await File.WriteAllTextAsync(file, Replace(now, part, text));
    }

    public static string Replace(string document, string part, string text)
    {
        (string begin, string end) = ($"<!-- part: {part} -->", $"<!-- end of part: {part} -->");
        string written = $"{begin}\n{text.Trim()}\n{end}";
        int from = document.IndexOf(begin, StringComparison.Ordinal);
        int to = document.IndexOf(end, StringComparison.Ordinal);
        return from < 0 || to < from
            ? $"{document.TrimEnd()}\n\n{written}\n"
            : document[..from] + written + document[(to + end.Length)..];
    }

    /// <param name="title">Of the part.</param>
    /// <param name="command">That made it.</param>
    /// <param name="at">When it ended.</param>
    /// <param name="results">What it said.</param>
    /// <param name="bad">What failed or was skipped.</param>
    public static string Render(string title, string command, DateTimeOffset at, Results results, IEnumerable<string> bad)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"## {title}\n\n`{command}`, {at:yyyy-MM-dd HH:mm} UTC\n\n```text\n");
        foreach (string fact in results.Facts.Concat(bad))
            text.Append(CultureInfo.InvariantCulture, $"{fact}\n");
        text.Append("```\n");
        foreach (string table in results.Tables)
            text.Append(CultureInfo.InvariantCulture, $"\n{table}");
        foreach (IGrouping<string, (CaseResult Result, Goal? Goal)> figure in results.All.GroupBy(each => each.Result.Figure))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### {figure.Key}\n\n| case | median | min–max | unit | p50 ms | p99 ms | goal |\n|---|---|---|---|---|---|---|\n");
            foreach ((CaseResult result, Goal? goal) in figure)
                text.Append(CultureInfo.InvariantCulture, $"{Row(result, goal)}\n");
        }
        return text.ToString();
    }

    private static string Row(CaseResult result, Goal? goal)
    {
        string range = result.Runs == 1 ? "" : $"{Results.Number(result.Min)}–{Results.Number(result.Max)}";
        return $"| {result.Case} | {Results.Number(result.Median)} | {range} | {result.Unit} | {Latency(result.P50Ms)} | {Latency(result.P99Ms)} | {Verdict(result, goal)} |";
    }

    private static string Latency(double? milliseconds) => milliseconds is { } value ? Results.Number(value) : "";

    private static string Verdict(CaseResult result, Goal? goal) => goal is { } wanted
        ? $"{(wanted.IsFloor ? "≥" : "≤")} {Results.Number(wanted.Value)}: {(wanted.IsReachedBy(result.Median) ? "reached" : "not reached")}"
        : "";
}

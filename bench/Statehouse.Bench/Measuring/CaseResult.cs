using System.Text.Json.Serialization;

namespace Statehouse.Bench.Measuring;

/// <summary>One measure of one case: a line of the JSON file.</summary>
/// <param name="Figure">Its id, for instance <c>F1</c>.</param>
/// <param name="Case">What was varied, in words; the same over all measures of a case.</param>
/// <param name="Unit">Of median, min and max.</param>
/// <param name="Median">Over the runs.</param>
/// <param name="Min">Over the runs.</param>
/// <param name="Max">Over the runs.</param>
/// <param name="P50Ms">Latency in milliseconds over all runs; null where the measure is no rate of requests.</param>
/// <param name="P99Ms">As <paramref name="P50Ms"/>.</param>
/// <param name="Runs">Measured runs.</param>
internal sealed record CaseResult(
    [property: JsonPropertyName("figure")] string Figure,
    [property: JsonPropertyName("case")] string Case,
    [property: JsonPropertyName("unit")] string Unit,
    [property: JsonPropertyName("median")] double Median,
    [property: JsonPropertyName("min")] double Min,
    [property: JsonPropertyName("max")] double Max,
    [property: JsonPropertyName("p50_ms")] double? P50Ms,
    [property: JsonPropertyName("p99_ms")] double? P99Ms,
    [property: JsonPropertyName("runs")] int Runs)
{
    [JsonPropertyName("p90_ms")]
    public double? P90Ms { get; init; }

    [JsonPropertyName("p999_ms")]
    public double? P999Ms { get; init; }

    /// <param name="figure">Its id.</param>
    /// <param name="case">In words.</param>
    /// <param name="unit">Of the values.</param>
    /// <param name="values">One per run, at least one.</param>
    /// <param name="latencies">Of all runs' requests; null where there are none.</param>
    public static CaseResult Of(string figure, string @case, string unit, IEnumerable<double> values, LatencyHistogram? latencies = null)
    {
        double[] sorted = [.. values.Order()];
        double median = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        return new CaseResult(
            figure, @case, unit, median, sorted[0], sorted[^1], latencies?.Milliseconds(50), latencies?.Milliseconds(99), sorted.Length)
        {
            P90Ms = latencies?.Milliseconds(90),
            P999Ms = latencies?.Milliseconds(99.9),
        };
    }
}

/// <summary>What a case should reach: the goals of bench/README.md.</summary>
/// <param name="Value">The bound.</param>
/// <param name="IsFloor">True: at least. False: at most.</param>
internal readonly record struct Goal(double Value, bool IsFloor)
{
    public static Goal AtLeast(double value) => new(value, true);

    public static Goal AtMost(double value) => new(value, false);

    public bool IsReachedBy(double median) => IsFloor ? median >= Value : median <= Value;
}

using System.Diagnostics.Metrics;

namespace Statehouse.Gateway;

internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>From an instrument to what Prometheus calls it.</summary>
internal static class MetricNames
{
    /// <summary><c>statehouse.journal.append.duration</c> in s → <c>statehouse_journal_append_duration_seconds</c>.</summary>
    public static string Exposed(Instrument instrument)
    {
        string name = Sanitised(instrument.Name);
        string unit = instrument.Unit switch
        {
            "s" or "seconds" => "_seconds",
            "ms" => "_milliseconds",
            "By" or "bytes" => "_bytes",
            "MB" => "_megabytes",
            _ => "",
        };
        if (!name.EndsWith(unit, StringComparison.Ordinal))
            name += unit;
        return KindOf(instrument) == MetricKind.Counter && !name.EndsWith("_total", StringComparison.Ordinal)
            ? name + "_total"
            : name;
    }

    /// <summary>A name of a metric or label as Prometheus allows it: letters, digits and underscores.</summary>
    public static string Sanitised(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    public static MetricKind KindOf(Instrument instrument)
    {
        Type kind = instrument.GetType().GetGenericTypeDefinition();
        if (kind == typeof(Counter<>) || kind == typeof(ObservableCounter<>))
            return MetricKind.Counter;
        return kind == typeof(Histogram<>) ? MetricKind.Histogram : MetricKind.Gauge;
    }

    /// <summary>Whether a measurement replaces the value (true) or is added to it (false).</summary>
    public static bool IsAbsolute(Instrument instrument)
    {
        Type kind = instrument.GetType().GetGenericTypeDefinition();
        return kind != typeof(Counter<>) && kind != typeof(UpDownCounter<>);
    }

    /// <summary>Upper bounds: what the instrument advises, else by its unit.</summary>
    public static double[] BucketsOf(Instrument instrument)
    {
        IEnumerable<double>? advised = instrument switch
        {
            Histogram<double> histogram => histogram.Advice?.HistogramBucketBoundaries,
            Histogram<long> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound),
            Histogram<int> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound),
            _ => null,
        };
        if (advised is not null)
            return [.. advised];
        return instrument.Unit == "s" ? DefaultSeconds : DefaultCounts;
    }

    private static readonly double[] DefaultSeconds =
        [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private static readonly double[] DefaultCounts =
        [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
}

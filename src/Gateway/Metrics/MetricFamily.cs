using System.Diagnostics.Metrics;

namespace Statehouse.Gateway;

/// <summary>All series of one metric name. Measuring takes a short lock and, for a known label set, allocates nothing.</summary>
internal sealed class MetricFamily(string name, Instrument instrument)
{
    private readonly MetricKind _kind = MetricNames.KindOf(instrument);
    private readonly bool _isAbsolute = MetricNames.IsAbsolute(instrument);
    private readonly double[] _buckets =
        MetricNames.KindOf(instrument) == MetricKind.Histogram ? MetricNames.BucketsOf(instrument) : [];
    private readonly string _help = instrument.Description ?? name;
    private readonly Dictionary<int, List<MetricSeries>> _byHash = [];
    private readonly List<MetricSeries> _series = [];
    private readonly Lock _lock = new();

    public string Name { get; } = name;

    public void Measured(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        lock (_lock)
        {
            MetricSeries series = FindNeedsLock(labels);
            if (_kind == MetricKind.Histogram)
                series.Observe(value, _buckets);
            else if (_isAbsolute)
                series.Value = value;
            else
                series.Value += value;
        }
    }

    public void Write(PrometheusText text)
    {
        lock (_lock)
        {
            if (_series.Count == 0)
                return;
            text.Header(Name, _help, _kind);
            foreach (MetricSeries series in _series)
            {
                if (_kind == MetricKind.Histogram)
                    WriteHistogram(text, series);
                else
                    text.Sample(Name, series.Labels, null, series.Value);
            }
        }
    }

    private void WriteHistogram(PrometheusText text, MetricSeries series)
    {
        long below = 0;
        for (int i = 0; i < _buckets.Length; i++)
        {
            below += series.BucketCounts[i];
            text.Sample(Name + "_bucket", series.Labels, PrometheusText.Number(_buckets[i]), below);
        }
        text.Sample(Name + "_bucket", series.Labels, "+Inf", series.Count);
        text.Sample(Name + "_sum", series.Labels, null, series.Value);
        text.Sample(Name + "_count", series.Labels, null, series.Count);
    }

    private MetricSeries FindNeedsLock(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        HashCode hash = default;
        foreach ((string label, object? value) in labels)
        {
            hash.Add(label);
            hash.Add(value);
        }
        int key = hash.ToHashCode();
        if (!_byHash.TryGetValue(key, out List<MetricSeries>? candidates))
            _byHash.Add(key, candidates = []);
        foreach (MetricSeries candidate in candidates)
        {
            if (candidate.Has(labels))
                return candidate;
        }
        var series = new MetricSeries(labels.ToArray(), _buckets.Length);
        candidates.Add(series);
        _series.Add(series);
        return series;
    }
}

/// <summary>One label set of a family. Guarded by its family's lock.</summary>
internal sealed class MetricSeries(KeyValuePair<string, object?>[] labels, int bucketCount)
{
    public KeyValuePair<string, object?>[] Labels { get; } = labels;

    /// <summary>The value, or a histogram's sum.</summary>
    public double Value { get; set; }

    /// <summary>Observations of a histogram.</summary>
    public long Count { get; private set; }

    /// <summary>Observations at most the bound of the same index, and above the one before it.</summary>
    public long[] BucketCounts { get; } = new long[bucketCount];

    public bool Has(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (labels.Length != Labels.Length)
            return false;
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i].Key != Labels[i].Key || !Equals(labels[i].Value, Labels[i].Value))
                return false;
        }
        return true;
    }

    public void Observe(double value, double[] buckets)
    {
        Count++;
        Value += value;
        int bucket = Array.BinarySearch(buckets, value);
        if (bucket < 0)
            bucket = ~bucket;
        if (bucket < BucketCounts.Length)
            BucketCounts[bucket]++;
    }
}

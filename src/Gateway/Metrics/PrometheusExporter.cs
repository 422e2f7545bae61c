using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Statehouse.Gateway;

/// <summary>
/// Collects every instrument of the meters whose names begin as asked for, in the whole process, and shows them as Prometheus text
/// (exposition format 0.0.4). A layer only makes instruments; their names, units and buckets decide what is shown.
/// </summary>
internal sealed class PrometheusExporter : IDisposable
{
    public const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();

    /// <param name="meters">What the meters' names begin with.</param>
    public PrometheusExporter(IReadOnlyList<string> meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (meters.Any(prefix => instrument.Meter.Name.StartsWith(prefix, StringComparison.Ordinal)))
                listener.EnableMeasurementEvents(instrument, FamilyOf(instrument));
        };
        Listen<byte>(value => value);
        Listen<short>(value => value);
        Listen<int>(value => value);
        Listen<long>(value => value);
        Listen<float>(value => value);
        Listen<double>(value => value);
        Listen<decimal>(value => (double)value);
        _listener.Start();
    }

    /// <summary>All families in order of their names, observed now.</summary>
    public string Scrape()
    {
        // Two scrapes at once would each add what an observable counter reports of the other.
        lock (_listener)
        {
            _listener.RecordObservableInstruments();
        }
        var text = new PrometheusText();
        foreach (MetricFamily family in _families.Values.OrderBy(family => family.Name, StringComparer.Ordinal))
            family.Write(text);
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private MetricFamily FamilyOf(Instrument instrument) =>
        _families.GetOrAdd(MetricNames.Exposed(instrument), name => new MetricFamily(name, instrument));

    private void Listen<T>(Func<T, double> toDouble)
        where T : struct =>
        _listener.SetMeasurementEventCallback<T>(
            (_, value, tags, family) => ((MetricFamily)family!).Measured(toDouble(value), tags));
}

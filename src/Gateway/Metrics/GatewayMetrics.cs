using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>What the gateway itself measures, and what the process uses. Label values come from our tables only.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    public const string MeterName = "Statehouse.Gateway";

    // Seconds. A durable commit takes a fsync: finest where those are.
    private static readonly InstrumentAdvice<double> DurationBuckets = new()
    {
        HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _requests;
    private readonly Counter<long> _refusals;
    private readonly Histogram<double> _duration;
    private readonly ConcurrentDictionary<int, string> _statusTexts = new();

    public GatewayMetrics(RequestLoad load)
    {
        _requests = _meter.CreateCounter<long>("statehouse.http.requests", null, "Requests answered, by route and status.");
        _refusals = _meter.CreateCounter<long>("statehouse.http.refusals", null, "Problems answered, by code.");
        _duration = _meter.CreateHistogram<double>(
            "statehouse.http.request.duration", "s", "Time from a request's headers to the end of its reply, by route.", null, DurationBuckets);
        _meter.CreateObservableGauge("statehouse.http.in_flight", () => load.Requests, null, "Requests being answered.");
        _meter.CreateObservableGauge("statehouse.http.streams", () => load.Streams, null, "Event streams open.");
        AddProcessInstruments();
    }

    /// <param name="route">null where there was none.</param>
    /// <param name="status">Of the reply.</param>
    /// <param name="elapsed">From the request's headers to the end of the reply.</param>
    public void Answered(ApiRoute? route, int status, TimeSpan elapsed)
    {
        var template = new KeyValuePair<string, object?>("route", route?.Template ?? "none");
        var method = new KeyValuePair<string, object?>("method", route?.Method ?? "none");
        _requests.Add(1, template, method, new KeyValuePair<string, object?>("status", StatusText(status)));
        _duration.Record(elapsed.TotalSeconds, template, method);
    }

    public void Refused(ErrorCode code) => _refusals.Add(1, new KeyValuePair<string, object?>("code", code.Text()));

    public void Dispose() => _meter.Dispose();

    private void AddProcessInstruments()
    {
        _meter.CreateObservableGauge("statehouse.process.working_set", () => Environment.WorkingSet, "By", "Memory of the process.");
        _meter.CreateObservableGauge("statehouse.process.gc_heap", () => GC.GetTotalMemory(false), "By", "Managed heap in use.");
        _meter.CreateObservableCounter("statehouse.process.gc_collections", Collections, null, "Garbage collections, by generation.");
        _meter.CreateObservableCounter("statehouse.process.gc_pause", () => GC.GetTotalPauseDuration().TotalSeconds, "s", "Time paused by the collector.");
        _meter.CreateObservableCounter("statehouse.process.cpu", CpuSeconds, "s", "Processor time used.");
        _meter.CreateObservableGauge("statehouse.process.threads", () => ThreadPool.ThreadCount, null, "Threads of the pool.");
    }

    private static double CpuSeconds()
    {
        Environment.ProcessCpuUsage usage = Environment.CpuUsage;
        return usage.TotalTime.TotalSeconds;
    }

    private static IEnumerable<Measurement<long>> Collections()
    {
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            string name = generation.ToString(CultureInfo.InvariantCulture);
            yield return new Measurement<long>(GC.CollectionCount(generation), new TagList { { "generation", name } });
        }
    }

    private string StatusText(int status) =>
        _statusTexts.GetOrAdd(status, static value => value.ToString(CultureInfo.InvariantCulture));
}

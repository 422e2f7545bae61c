using System.Diagnostics.Metrics;

namespace Statehouse.Gateway;

/// <summary>What the gRPC front end measures. Label values come from our tables only.</summary>
internal sealed class GrpcMetrics : IDisposable
{
    private readonly Meter _meter = new("Statehouse.Gateway.Grpc");
    private readonly Counter<long> _calls;
    private readonly Histogram<double> _duration;

    public GrpcMetrics(RequestLoad load)
    {
        _calls = _meter.CreateCounter<long>("statehouse.grpc.calls", null, "Calls ended, by method and status.");
        _duration = _meter.CreateHistogram<double>("statehouse.grpc.call.duration", "s", "Time from a call's headers to its status, by method.");
        _meter.CreateObservableGauge("statehouse.grpc.in_flight", () => load.Requests, null, "Calls being answered, streams apart.");
        _meter.CreateObservableGauge("statehouse.grpc.streams", () => load.Streams, null, "Streams open.");
    }

    /// <param name="method">null where there was none.</param>
    /// <param name="status">As sent.</param>
    /// <param name="elapsed">From the call's headers to its status.</param>
    public void Ended(GrpcMethod? method, GrpcStatus status, TimeSpan elapsed)
    {
        var label = new KeyValuePair<string, object?>("method", method?.Path ?? "none");
        _calls.Add(1, label, new KeyValuePair<string, object?>("status", status.Text()));
        _duration.Record(elapsed.TotalSeconds, label);
    }

    public void Dispose() => _meter.Dispose();
}

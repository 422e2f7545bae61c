using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using Statehouse.Agents;
using Statehouse.Executions;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>
/// The HTTP server over an <see cref="IAgents"/>: Kestrel with one request handler, the <see cref="Door"/>, and no
/// framework between. It does not own what it is given.
/// </summary>
public sealed class GatewayServer : IAsyncDisposable
{
    // An id of every kind at its longest, each byte escaped, and two query parameters with keys.
    private const int RequestLineBytesMax = 32 * 1024;

    private const int RequestBufferBytesMax = 64 * 1024;

    private readonly CancellationTokenSource _stopping = new();
    private readonly Readiness _readiness;
    private readonly GatewayOptions _options;
    private readonly DrainGate _drain = new();
    private readonly GatewayMetrics _metrics;
    private readonly PrometheusExporter _exporter;
    private readonly KestrelServer _kestrel;
    private readonly Door _door;
    private readonly TimeProvider _clock;

    private GatewayServer(
        Readiness readiness, Limits limits, GatewayOptions options, TimeProvider clock, ILoggerFactory loggers,
        Func<StreamHost, IEnumerable<ApiRoute>> moreRoutes, string noSuchRoute)
    {
        _readiness = readiness;
        _options = options;
        _clock = clock;
        _exporter = new PrometheusExporter(options.Meters);
        var load = new RequestLoad(
            options.RequestsInFlightMax, options.StreamsMax, RequestLoad.BytesMaxOf(limits), BodyPace.Of(options, clock));
        _metrics = new GatewayMetrics(load);
        _kestrel = new KestrelServer(
            Options.Create(KestrelOptions(options)),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers),
            loggers);
        var log = new GatewayLog(loggers.CreateLogger("Statehouse.Gateway"));
        var streams = new StreamHost(log, _metrics, options.StreamHeartbeat, clock, _stopping.Token);
        Routes = new RouteTable([.. new SystemRoutes(readiness, _exporter).Routes, .. moreRoutes(streams)], noSuchRoute);
        _door = new Door(Routes, load, _drain, new ProblemWriter(log, _metrics), _metrics, limits, clock);
    }

    /// <summary>A server of the whole API.</summary>
    /// <param name="agents">All agents.</param>
    /// <param name="transactions">Interactive transactions.</param>
    /// <param name="executions">Workflow runs.</param>
    /// <param name="readiness">What <c>/readyz</c> answers.</param>
    /// <param name="limits">What requests may be.</param>
    /// <param name="options">Where to listen.</param>
    /// <param name="clock">Time.</param>
    /// <param name="loggers">Where Kestrel and the gateway log.</param>
    internal static GatewayServer OfApi(
        IAgents agents, ITransactions transactions, ExecutionService executions, Readiness readiness, Limits limits, GatewayOptions options,
        TimeProvider clock, ILoggerFactory loggers)
    {
        var entry = new FeedEntry(agents, clock);
        return new GatewayServer(
            readiness, limits, options, clock, loggers,
            streams =>
            [
                SystemRoutes.OpenApi,
                .. new AgentRoutes(agents, limits).Routes,
                .. new StateRoutes(agents, limits, clock).Routes,
                .. new CommitRoutes(agents, new CommitStream(agents, streams), limits).Routes,
                .. new TransactionRoutes(transactions, limits, clock).Routes,
                .. new ExecutionRoutes(executions, limits).Routes,
                .. new CheckpointRoutes(executions, limits).Routes,
                .. new SnapshotRoutes(executions, limits).Routes,
                .. new RetentionRoutes(executions, limits, clock).Routes,
                .. new FeedRoutes(entry, new FeedStream(agents, entry, streams, limits), limits).Routes,
            ],
            "There is no such route. /openapi/v1.json lists them all.");
    }

    /// <summary>A server of health, readiness and metrics only. Parameters as of <see cref="OfApi"/>.</summary>
    internal static GatewayServer OfSystem(
        Readiness readiness, Limits limits, GatewayOptions options, TimeProvider clock, ILoggerFactory loggers) =>
        new(readiness, limits, options, clock, loggers, _ => [], "There is no such route here: this process does not serve the API, gateways do.");

    /// <summary>Where it listens, with the port that it got; known once it has started.</summary>
    public Uri Address => new(_kestrel.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());

    internal RouteTable Routes { get; }

    /// <exception cref="IOException">The address cannot be bound, for instance because another process has it.</exception>
    public Task StartAsync(CancellationToken cancellationToken) =>
        _kestrel.StartAsync(new DoorApplication(_door.HandleAsync), cancellationToken);

    /// <summary>
    /// Is not ready from here on, answers new calls of the API with SH-2001, ends event streams and waits for calls in
    /// flight, at most as long as the options say. Health, readiness and metrics go on until it is stopped.
    /// </summary>
    /// <returns>Whether all calls ended in time.</returns>
    public async Task<bool> DrainAsync()
    {
        _readiness.Stop();
        Task drained = _drain.DrainAsync();
        await EndStreamsAsync();
        await Task.WhenAny(drained, Task.Delay(_options.StopPatience, _clock));
        return drained.IsCompleted;
    }

    /// <summary>Takes no new requests, ends event streams, and waits for requests in flight, at most as long as the options say.</summary>
    public async Task StopAsync()
    {
        _readiness.Stop();
        await EndStreamsAsync();
        using var patience = new CancellationTokenSource(_options.StopPatience);
        await _kestrel.StopAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _kestrel.Dispose();
        _exporter.Dispose();
        _metrics.Dispose();
        _stopping.Dispose();
    }

    private async Task EndStreamsAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        _options.OnCrashPoint?.Invoke(CrashPoint.WhileDraining);
    }

    private static KestrelServerOptions KestrelOptions(GatewayOptions options)
    {
        var kestrel = new KestrelServerOptions { AddServerHeader = false };
        kestrel.Limits.MaxRequestLineSize = RequestLineBytesMax;
        // What waits unread of each connection; Kestrel's own default is 1 MiB, which thousands of connections would not fit.
        kestrel.Limits.MaxRequestBufferSize = RequestBufferBytesMax;
        // RequestBody bounds it, with an answer that names the limit.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Listen(options.HttpAddress, listen => listen.Protocols = HttpProtocols.Http1);
        return kestrel;
    }
}

using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>
/// The HTTP server over an <see cref="IAgents"/>: Kestrel with one request handler, the <see cref="Door"/>, and no
/// framework between. It does not own what it is given.
/// </summary>
public sealed class GatewayServer : IAsyncDisposable
{
    // An id of every kind at its longest, each byte escaped, and two query parameters with keys.
    private const int RequestLineBytesMax = 32 * 1024;

    private readonly CancellationTokenSource _stopping = new();
    private readonly GatewayOptions _options;
    private readonly RequestLoad _load;
    private readonly GatewayMetrics _metrics;
    private readonly PrometheusExporter _exporter = new();
    private readonly KestrelServer _kestrel;
    private readonly Door _door;

    /// <param name="agents">All agents.</param>
    /// <param name="transactions">Interactive transactions.</param>
    /// <param name="limits">What requests may be.</param>
    /// <param name="options">Where to listen.</param>
    /// <param name="clock">Time.</param>
    /// <param name="loggers">Where Kestrel and the gateway log.</param>
    public GatewayServer(
        IAgents agents, ITransactions transactions, Limits limits, GatewayOptions options, TimeProvider clock, ILoggerFactory loggers)
    {
        _options = options;
        _load = new RequestLoad(options.RequestsInFlightMax, options.StreamsMax);
        _metrics = new GatewayMetrics(_load);
        _kestrel = new KestrelServer(
            Options.Create(KestrelOptions(options)),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers),
            loggers);
        var log = new GatewayLog(loggers.CreateLogger("Statehouse.Gateway"));
        var streams = new StreamHost(log, _metrics, options.StreamHeartbeat, clock, _stopping.Token);
        var entry = new FeedEntry(agents, clock);
        var routes = new RouteTable(
        [
            .. new SystemRoutes(agents, _exporter, options.ReadyPatience, clock, _stopping.Token).Routes,
            .. new AgentRoutes(agents, limits).Routes,
            .. new StateRoutes(agents, limits, clock).Routes,
            .. new CommitRoutes(agents, new CommitStream(agents, streams), limits).Routes,
            .. new TransactionRoutes(transactions, limits, clock).Routes,
            .. new FeedRoutes(entry, new FeedStream(agents, entry, streams, limits), limits).Routes,
        ]);
        _door = new Door(routes, _load, new ProblemWriter(log, _metrics), _metrics, limits, clock);
        Routes = routes;
    }

    /// <summary>Where it listens, with the port that it got; known once it has started.</summary>
    public Uri Address => new(_kestrel.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());

    internal RouteTable Routes { get; }

    /// <exception cref="IOException">The address cannot be bound, for instance because another process has it.</exception>
    public Task StartAsync(CancellationToken cancellationToken) =>
        _kestrel.StartAsync(new DoorApplication(_door.HandleAsync), cancellationToken);

    /// <summary>Takes no new requests, ends event streams, and waits for requests in flight, at most as long as the options say.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
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

    private static KestrelServerOptions KestrelOptions(GatewayOptions options)
    {
        var kestrel = new KestrelServerOptions { AddServerHeader = false };
        kestrel.Limits.MaxRequestLineSize = RequestLineBytesMax;
        // RequestBody bounds it, with an answer that names the limit.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Listen(options.HttpAddress, listen => listen.Protocols = HttpProtocols.Http1);
        return kestrel;
    }
}

using Google.Protobuf.Reflection;
using Grpc.Health.V1;
using Grpc.Reflection.V1;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using Statehouse.Agents;
using Statehouse.V1;

namespace Statehouse.Gateway;

/// <summary>
/// The gRPC server over an <see cref="IAgents"/>: Kestrel speaking HTTP/2 without TLS (prior knowledge) on a port of its
/// own, with one request handler, the <see cref="GrpcDoor"/>. It does not own what it is given.
/// </summary>
public sealed class GrpcServer : IAsyncDisposable
{
    public const string ServiceName = "statehouse.v1.StatehouseService";

    // Clients open one connection and put everything on it.
    private const int StreamsPerConnectionMax = 1000;

    private readonly CancellationTokenSource _stopping = new();
    private readonly Readiness _readiness;
    private readonly GatewayOptions _options;
    private readonly GrpcMetrics _metrics;
    private readonly KestrelServer _kestrel;
    private readonly GrpcDoor _door;

    /// <param name="agents">All agents.</param>
    /// <param name="transactions">Interactive transactions.</param>
    /// <param name="readiness">What the health services answer.</param>
    /// <param name="limits">What requests may be.</param>
    /// <param name="options">Where to listen: <see cref="GatewayOptions.GrpcAddress"/> must be set.</param>
    /// <param name="clock">Time.</param>
    /// <param name="loggers">Where Kestrel and the gateway log.</param>
    internal GrpcServer(
        IAgents agents, ITransactions transactions, Readiness readiness, Limits limits, GatewayOptions options, TimeProvider clock,
        ILoggerFactory loggers)
    {
        _readiness = readiness;
        _options = options;
        var load = new RequestLoad(
            options.RequestsInFlightMax, options.StreamsMax, RequestLoad.BytesMaxOf(limits), BodyPace.Of(options, clock));
        _metrics = new GrpcMetrics(load);
        _kestrel = new KestrelServer(
            Options.Create(KestrelOptions(options)),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers),
            loggers);
        IReadOnlyList<FileDescriptor> files = [StatehouseReflection.Descriptor, HealthReflection.Descriptor, ReflectionReflection.Descriptor];
        IEnumerable<GrpcMethod> methods =
        [
            .. new SystemMethods(readiness).All(ServiceName),
            .. new TransactionMethods(transactions, limits).All(ServiceName),
            .. new ReadMethods(agents, limits).All(ServiceName),
            new ReplayMethod(agents).Method(ServiceName),
            .. new HealthMethods(readiness, new HashSet<string> { ServiceName, HealthMethods.Service }).All,
            .. new ReflectionMethods(files).All,
        ];
        var log = new GrpcLog(loggers.CreateLogger("Statehouse.Gateway"));
        _door = new GrpcDoor(methods, load, log, _metrics, limits, options.GrpcPiecePatience, clock, _stopping.Token);
    }

    /// <summary>Where it listens, with the port that it got; known once it has started.</summary>
    public Uri Address => new(_kestrel.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());

    /// <exception cref="IOException">The address cannot be bound, for instance because another process has it.</exception>
    public Task StartAsync(CancellationToken cancellationToken) =>
        _kestrel.StartAsync(new DoorApplication(_door.HandleAsync), cancellationToken);

    /// <summary>Takes no new calls, ends streams, and waits for calls in flight, at most as long as the options say.</summary>
    public async Task StopAsync()
    {
        _readiness.Stop();
        await _stopping.CancelAsync();
        using var patience = new CancellationTokenSource(_options.StopPatience);
        await _kestrel.StopAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _kestrel.Dispose();
        _metrics.Dispose();
        _stopping.Dispose();
    }

    private static KestrelServerOptions KestrelOptions(GatewayOptions options)
    {
        var kestrel = new KestrelServerOptions { AddServerHeader = false };
        // MessageReader bounds each message, with an answer that names the limit.
        kestrel.Limits.MaxRequestBodySize = null;
        // Kestrel closes the whole connection, with all its calls, where the body of one of them comes too slowly: a client
        // that begins hundreds at once is given more time to come round to each than Kestrel's own 5 s.
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(20));
        // A client may read a replay as slowly as it likes; one that is no longer there is found by the pings.
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.Http2.KeepAlivePingDelay = options.GrpcPingDelay;
        kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnectionMax;
        kestrel.Listen(options.GrpcAddress!, listen => listen.Protocols = HttpProtocols.Http2);
        return kestrel;
    }
}

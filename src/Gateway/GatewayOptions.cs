using System.Net;
using Statehouse.Executions;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>How a gateway listens and what it holds at once.</summary>
public sealed record GatewayOptions
{
    /// <summary>Where HTTP/1.1 listens; port 0 takes a free one. Default 127.0.0.1:8080.</summary>
    public IPEndPoint HttpAddress { get; init; } = new(IPAddress.Loopback, 8080);

    /// <summary>Where gRPC (HTTP/2 without TLS) listens; port 0 takes a free one. Default null: gRPC is not served.</summary>
    public IPEndPoint? GrpcAddress { get; init; }

    /// <summary>Silence on a gRPC connection after which it is pinged; one that does not answer is closed. Default 30 s.</summary>
    public TimeSpan GrpcPingDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A client takes each 64 KiB of one large gRPC message within this, or its call is reset: such a message is held whole
    /// until then. Streams of small messages are held back instead, however long that is. Default 30 s.
    /// </summary>
    public TimeSpan GrpcPiecePatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Requests being answered at once, event streams apart; more get SH-2003. Default 10,000.</summary>
    public int RequestsInFlightMax { get; init; } = 10_000;

    /// <summary>Event streams open at once; more get SH-2003. Default 10,000.</summary>
    public int StreamsMax { get; init; } = 10_000;

    /// <summary>
    /// How long a request body of more than 16 KiB may take whatever it brings; then it must have brought
    /// <see cref="BodyBytesPerSecondMin"/> on average, or is given up (408). Default 5 s.
    /// </summary>
    public TimeSpan BodyGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes per second that a request body of more than 16 KiB must bring, <see cref="BodyGrace"/> apart. Default 64 KiB.</summary>
    public int BodyBytesPerSecondMin { get; init; } = 64 * 1024;

    /// <summary>Time without an event after which a stream sends a comment, so that proxies keep it open. Default 15 s.</summary>
    public TimeSpan StreamHeartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Meters that <c>/metrics</c> shows, by what their names begin with. Default our own.</summary>
    public IReadOnlyList<string> Meters { get; init; } = ["Statehouse."];

    /// <summary>How long <c>/readyz</c> waits for the journal. Default 2 s.</summary>
    public TimeSpan ReadyPatience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a stop waits for requests in flight before it cuts them off. Default 20 s.</summary>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How this server runs executions.</summary>
    public ExecutionOptions Executions { get; init; } = new();

    /// <summary>Told when this process comes to a <see cref="CrashPoint"/>; fault tests end it there. Default null: nobody.</summary>
    public Action<CrashPoint>? OnCrashPoint { get; init; }
}

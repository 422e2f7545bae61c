using System.Net;

namespace Statehouse.Gateway;

/// <summary>The settings that programs share, under the same names.</summary>
internal static class CommonSettings
{
    public const string AddressAllowed = "ADDRESS:PORT with an IP address or localhost, like 127.0.0.1:8080 or [::1]:8080";

    public static Setting<T> Http<T>()
        where T : ProgramSettings =>
        new("http_addr", "--http", "STATEHOUSE_HTTP_ADDR", "ADDR:PORT",
            "Where HTTP listens; port 0 takes a free one. Default 127.0.0.1:8080", AddressAllowed,
            (settings, text) => Address(text) is { } address ? Changed(settings, s => s with { HttpAddress = address }) : null);

    public static Setting<T> Grpc<T>()
        where T : ProgramSettings =>
        new("grpc_addr", "--grpc", "STATEHOUSE_ADDR", "ADDR:PORT",
            "Where gRPC listens (HTTP/2 without TLS); port 0 takes a free one. Default 127.0.0.1:50051", AddressAllowed,
            (settings, text) => Address(text) is { } address ? Changed(settings, s => s with { GrpcAddress = address }) : null);

    public static Setting<T> Postgres<T>(string help)
        where T : ProgramSettings =>
        new("postgres", "--postgres", "STATEHOUSE_POSTGRES", "STRING", help, "a connection string",
            (settings, text) => text.Length == 0 ? null : Changed(settings, s => s with { Postgres = text }))
        {
            // It holds a password.
            IsSecret = true,
        };

    public static Setting<T> Log<T>()
        where T : ProgramSettings =>
        new("log", "--log", "STATEHOUSE_LOG", "FORMAT",
            "Log lines on standard error: json or text. Default json", "json or text",
            (settings, text) => Format(text) is { } format ? Changed(settings, s => s with { Log = format }) : null);

    /// <summary>How executions are run: <c>executions.batch_size</c> and <c>executions.flush_interval_ms</c> in the file.</summary>
    public static IEnumerable<Setting<T>> Executions<T>()
        where T : ProgramSettings =>
        [
            new("executions.batch_size", "--executions-batch-size", "STATEHOUSE_EXECUTIONS_BATCH_SIZE", "N",
                "Buffered checkpoints are written when so many wait. Default 100", "an integer from 1 to 10000",
                (settings, text) => Count(text, 10_000) is { } count
                    ? Changed(settings, s => s with { Executions = s.Executions with { BatchSize = (int)count } })
                    : null),
            new("executions.flush_interval_ms", "--executions-flush-interval-ms", "STATEHOUSE_EXECUTIONS_FLUSH_INTERVAL_MS", "MS",
                "A buffered checkpoint waits at most so long. Default 100", "an integer from 1 to 60000",
                (settings, text) => Count(text, 60_000) is { } ms
                    ? Changed(settings, s => s with { Executions = s.Executions with { FlushInterval = TimeSpan.FromMilliseconds(ms) } })
                    : null),
        ];

    private static long? Count(string text, long max) =>
        Query.TryNumber(text, out long count) && count >= 1 && count <= max ? count : null;

    /// <summary>No names but localhost: what a name resolves to may change, and what it is bound to must not.</summary>
    /// <returns>Null where it is no address.</returns>
    public static IPEndPoint? Address(string text)
    {
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !Query.TryNumber(text.AsSpan(colon + 1), out long port) || port > IPEndPoint.MaxPort)
            return null;
        string host = text[..colon];
        if (host == "localhost")
            return new IPEndPoint(IPAddress.Loopback, (int)port);
        bool isV6 = host.StartsWith('[') && host.EndsWith(']');
        bool isV4 = host.Count(c => c == '.') == 3;
        return (isV6 || isV4) && IPAddress.TryParse(isV6 ? host[1..^1] : host, out IPAddress? address)
            ? new IPEndPoint(address, (int)port)
            : null;
    }

    private static LogFormat? Format(string text) => text switch
    {
        "json" => LogFormat.Json,
        "text" => LogFormat.Text,
        _ => null,
    };

    /// <summary>A copy of a record is of the record's own type, whatever type the copying code knows it by.</summary>
    internal static T Changed<T>(T settings, Func<ProgramSettings, ProgramSettings> change)
        where T : ProgramSettings => (T)change(settings);
}

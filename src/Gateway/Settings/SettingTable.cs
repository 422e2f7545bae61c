using System.Net;

namespace Statehouse.Gateway;

/// <summary>One setting.</summary>
/// <param name="Member">Its name in <c>statehouse.json</c>.</param>
/// <param name="Flag">Its name on the command line.</param>
/// <param name="Variable">Its name in the environment; null = none.</param>
/// <param name="Placeholder">What stands for its value in the help.</param>
/// <param name="Help">What it does, with its default.</param>
/// <param name="Allowed">What a value must be.</param>
/// <param name="Apply">Puts a value in; null = the value is not allowed.</param>
internal sealed record Setting(
    string Member, string Flag, string? Variable, string Placeholder, string Help, string Allowed,
    Func<ServerSettings, string, ServerSettings?> Apply);

/// <summary>Every setting but the limits, once: the command line, the environment, the file and the help are made of it.</summary>
internal static class SettingTable
{
    private const string AddressAllowed = "ADDRESS:PORT with an IP address or localhost, like 127.0.0.1:8080 or [::1]:8080";

    public static readonly IReadOnlyList<Setting> All =
    [
        new("data_dir", "--data", "STATEHOUSE_DATA_DIR", "DIR",
            "Folder of the SQLite journal, made where it is missing. Default ./data", "a path",
            (settings, text) => text.Length == 0 || text.Contains('\0') ? null : settings with { DataDirectory = text }),
        new("http_addr", "--http", "STATEHOUSE_HTTP_ADDR", "ADDR:PORT",
            "Where HTTP listens; port 0 takes a free one. Default 127.0.0.1:8080", AddressAllowed,
            (settings, text) => Address(text) is { } address ? settings with { HttpAddress = address } : null),
        new("grpc_addr", "--grpc", "STATEHOUSE_ADDR", "ADDR:PORT",
            "Where gRPC listens (HTTP/2 without TLS); port 0 takes a free one. Default 127.0.0.1:50051", AddressAllowed,
            (settings, text) => Address(text) is { } address ? settings with { GrpcAddress = address } : null),
        new("journal", "--journal", "STATEHOUSE_JOURNAL", "NAME",
            "Where commits are kept: sqlite or postgres. Default sqlite", "sqlite or postgres",
            (settings, text) => Journal(text) is { } journal ? settings with { Journal = journal } : null),
        new("postgres", "--postgres", "STATEHOUSE_POSTGRES", "STRING",
            "Connection string, for --journal postgres", "a connection string",
            (settings, text) => text.Length == 0 ? null : settings with { Postgres = text }),
        new("log", "--log", "STATEHOUSE_LOG", "FORMAT",
            "Log lines on standard error: json or text. Default json", "json or text",
            (settings, text) => Format(text) is { } format ? settings with { Log = format } : null),
    ];

    private static JournalKind? Journal(string text) => text switch
    {
        "sqlite" => JournalKind.Sqlite,
        "postgres" => JournalKind.Postgres,
        _ => null,
    };

    private static LogFormat? Format(string text) => text switch
    {
        "json" => LogFormat.Json,
        "text" => LogFormat.Text,
        _ => null,
    };

    /// <summary>No names but localhost: what a name resolves to may change, and what it is bound to must not.</summary>
    private static IPEndPoint? Address(string text)
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
}

using System.Globalization;

namespace Statehouse.LocalCluster;

/// <summary>What the silo program is told: its own flags and settings, docs/operating.md.</summary>
internal static class ProcessArguments
{
    public static IEnumerable<string> ToMigrate { get; } = ["--migrate"];

    public static IEnumerable<string> Of(ClusterState cluster, ProcessState process) =>
    [
        "--role", process.Role == ClusterRole.Silo ? "silo" : "gateway",
        "--cluster-id", cluster.ClusterId,
        .. Listening("--http", process.Ports.Http),
        .. Listening("--grpc", process.Ports.Grpc),
        .. Listening("--silo-port", process.Ports.Silo),
        .. Listening("--gateway-port", process.Ports.OrleansGateway),
        .. Listening("--dashboard", process.Ports.Dashboard),
        .. cluster.Limits.SelectMany(limit => new[] { "--limit", limit }),
    ];

    /// <summary>Not as a flag: every user of the machine may read the command line of a process.</summary>
    public static IReadOnlyDictionary<string, string> Environment(ClusterState cluster) => new Dictionary<string, string>
    {
        ["STATEHOUSE_POSTGRES"] = cluster.Postgres.Private is { } server ? PrivatePostgres.ConnectionString(server) : cluster.Postgres.ConnectionString!,
        [SpinLimit] = System.Environment.GetEnvironmentVariable(SpinLimit) ?? "0",
    };

    // How long a thread of .NET's pool spins before it sleeps. Many processes on one machine take each other's processors
    // that way: without it the same load reaches up to half as much again (bench/NOTES.md).
    private const string SpinLimit = "DOTNET_ThreadPool_UnfairSemaphoreSpinLimit";

    private static IEnumerable<string> Listening(string flag, int? port) =>
        port is { } number ? [flag, string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{number}")] : [];
}

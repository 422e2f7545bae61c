using System.Net;

namespace Statehouse.Gateway;

/// <summary>The single-node server as a program: settings → journal → agents → HTTP and gRPC, until a signal; then back down.</summary>
/// <param name="hooks">What the fault harness puts in.</param>
internal sealed class SingleNodeProgram(ProgramHooks hooks) : ServerProgram<ServerSettings, SingleNode>(ServerSettingTable.Table, hooks.Clock)
{
    protected override async Task<SingleNode?> StartAsync(
        ServerSettings settings, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        await SingleNode.StartAsync(settings, hooks, clock, loggers, cancellationToken);

    protected override IEnumerable<(string Protocol, IPEndPoint Address)> Listens(ServerSettings settings) =>
        [("HTTP", settings.HttpAddress), ("gRPC", settings.GrpcAddress)];

    /// <summary>Where it is, and one line to try.</summary>
    protected override void Introduce(ServerSettings settings, SingleNode node, TextWriter output, GatewayLog log)
    {
        string address = node.Address.ToString().TrimEnd('/');
        string journal = settings.Journal == JournalKind.Sqlite
            ? $"sqlite in {Path.GetFullPath(settings.DataDirectory)}"
            : "postgres";
        output.WriteLine($"Statehouse {BuildInfo.Version} listens on {address}");
        output.WriteLine($"gRPC: {node.GrpcAddress!.Authority}");
        output.WriteLine($"journal: {journal}");
        output.WriteLine($"try: curl -X PUT {address}/v1/namespaces/default/agents/ada/state/greeting -d '\"hello\"'");
        output.Flush();
        log.Started(address, node.GrpcAddress.Authority, settings.Journal == JournalKind.Sqlite ? "sqlite" : "postgres");
    }
}

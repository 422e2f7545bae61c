using System.Net;
using Statehouse.Gateway;
using Statehouse.Journal;
using Statehouse.Journal.Postgres;

namespace Statehouse.Silo;

/// <summary>A process of the cluster as a program: migrate, where that is asked for; then serve until a signal.</summary>
/// <param name="hooks">What the fault harness puts in.</param>
internal sealed class SiloProgram(ClusterHooks hooks) : ServerProgram<SiloSettings, ClusterNode>(SiloSettingTable.Table, hooks.Clock)
{
    protected override async Task<ClusterNode?> StartAsync(
        SiloSettings settings, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        if (settings.Migrate)
            await MigrateAsync(settings, new HostOperatorLog(loggers.CreateLogger("Statehouse.Journal")), cancellationToken);
        return settings.Role is null ? null : await ClusterNode.StartAsync(settings, hooks, clock, loggers, cancellationToken);
    }

    protected override IEnumerable<(string Protocol, IPEndPoint Address)> Listens(SiloSettings settings)
    {
        if (settings.Role is not null)
            yield return ("HTTP", settings.HttpAddress);
        if (settings.ServesApi)
            yield return ("gRPC", settings.GrpcAddress);
        if (settings.HostsAgents)
            yield return ("The silo", settings.SiloEndpoint);
        if (settings.DashboardEndpoint is not null)
            yield return ("The dashboard", settings.DashboardEndpoint);
    }

    /// <summary>A line for each address, and <c>ready</c>: scripts wait for it.</summary>
    protected override void Introduce(SiloSettings settings, ClusterNode node, TextWriter output, GatewayLog log)
    {
        foreach ((string what, string where) in node.Addresses)
            output.WriteLine($"{what}: {where}");
        output.WriteLine("ready");
        output.Flush();
        node.Log.Started(settings.Role.ToString()!.ToLowerInvariant(), string.Join(", ", node.Addresses.Select(each => $"{each.What} {each.Where}")));
    }

    private async Task MigrateAsync(SiloSettings settings, IOperatorLog log, CancellationToken cancellationToken)
    {
        // Opening a store brings its tables up to date.
        await using PostgresJournalStore store = await PostgresJournalStore.OpenAsync(
            new PostgresJournalOptions { ConnectionString = settings.Postgres!, OnCrashPoint = hooks.OnCrashPoint }, log, cancellationToken);
        await OrleansSchema.ApplyAsync(settings.Postgres!, log, cancellationToken);
    }
}

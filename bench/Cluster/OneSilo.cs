using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Bench.Commands;
using Statehouse.Bench.Targets;
using Statehouse.Grains;
using Statehouse.Journal;
using Statehouse.Journal.GroupCommit;
using Statehouse.Journal.Postgres;

namespace Statehouse.Bench.Cluster;

/// <summary>One silo in this process, with nobody else in its cluster.</summary>
internal static class OneSilo
{
    public static async Task<int> RunAsync(string postgres, CommitLoadOptions options, TextWriter output)
    {
        IJournalStore store = await PostgresJournalStore.OpenAsync(
            new PostgresJournalOptions { ConnectionString = postgres }, SilentOperatorLog.Instance, default);
        await using var journal = new GroupCommitJournal(store, new GroupCommitOptions(), SilentOperatorLog.Instance);
        await using var hosting = new AgentHosting(journal, new LocalAgentsOptions(), Limits.Default, TimeProvider.System, SilentOperatorLog.Instance);
        using IHost host = new HostBuilder()
            .ConfigureLogging(logging => logging.SetMinimumLevel(LogLevel.Warning).AddConsole())
            .UseOrleans(silo => silo.UseLocalhostClustering().AddStatehouseAgents(hosting))
            .Build();
        await host.StartAsync();
        var agents = new ClusterAgents(
            host.Services.GetRequiredService<IGrainFactory>(), store, Limits.Default, TimeProvider.System, SilentOperatorLog.Instance);
        await CommitsCommand.ReportAsync("one silo", () => new InProcessSession(agents), options, output);
        await host.StopAsync();
        return 0;
    }
}

using Microsoft.Extensions.DependencyInjection;
using Orleans.EventSourcing;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>Adds the agents' grains to a silo.</summary>
public static class StatehouseSilo
{
    /// <param name="silo">The silo.</param>
    /// <param name="hosting">What its agents share. Stays the caller's to dispose, after the silo has stopped.</param>
    public static ISiloBuilder AddStatehouseAgents(this ISiloBuilder silo, AgentHosting hosting)
    {
        silo.Services.AddSingleton(hosting);
        silo.Services.AddSingleton<SiloChanges>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(services => services.GetRequiredService<SiloChanges>());
        silo.Services.AddStatehouseSerialization();
        // The only public way to the services that Orleans gives every journaled grain; the log itself is ours.
        silo.AddCustomStorageBasedLogConsistencyProvider(AgentStateGrain.ProviderName);
        silo.Services.AddKeyedSingleton<ILogViewAdaptorFactory>(AgentStateGrain.ProviderName, new JournalLogProvider(hosting.Journal));
        return silo;
    }

    /// <summary>Adds the work over all agents. Needs a reminder service: the reminder outlives every silo.</summary>
    /// <param name="silo">The silo, to which <see cref="AddStatehouseAgents"/> was added.</param>
    /// <param name="inventory">The store of its agents.</param>
    /// <param name="options">When; null = as usual.</param>
    public static ISiloBuilder AddStatehouseMaintenance(this ISiloBuilder silo, ISnapshotInventory inventory, MaintenanceOptions? options = null)
    {
        silo.Services.AddSingleton(options ?? new MaintenanceOptions());
        silo.Services.AddSingleton(services => new SnapshotThinning(services.GetRequiredService<AgentHosting>().Store, inventory));
        return silo.AddStartupTask(static (services, _) =>
            services.GetRequiredService<IGrainFactory>().GetGrain<IMaintenanceGrain>(0).ScheduleAsync());
    }
}

using Microsoft.Extensions.DependencyInjection;
using Statehouse.Agents.Hosting;

namespace Statehouse.Grains;

/// <summary>Adds the agents' grains to a silo.</summary>
public static class StatehouseSilo
{
    /// <param name="silo">The silo.</param>
    /// <param name="hosting">What its agents share. Stays the caller's to dispose, after the silo has stopped.</param>
    /// <param name="options">How it runs them; null = as usual.</param>
    public static ISiloBuilder AddStatehouseAgents(this ISiloBuilder silo, AgentHosting hosting, AgentGrainOptions? options = null)
    {
        silo.Services.AddSingleton(hosting);
        silo.Services.AddSingleton(options ?? new AgentGrainOptions());
        silo.Services.AddStatehouseSerialization();
        return silo.AddCustomStorageBasedLogConsistencyProvider(AgentStateGrain.ProviderName);
    }
}

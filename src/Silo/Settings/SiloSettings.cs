using System.Net;
using Statehouse.Agents.Hosting;
using Statehouse.Gateway;

namespace Statehouse.Silo;

/// <summary>What a process of the cluster does.</summary>
internal enum ClusterRole
{
    /// <summary>Hosts agents; serves no API.</summary>
    Silo,

    /// <summary>Serves the API and hosts nothing: an Orleans client.</summary>
    Gateway,

    /// <summary>Both in one process.</summary>
    All,
}

/// <summary>What a process of the cluster runs with. Names and sources: <see cref="SiloSettingTable"/>.</summary>
internal sealed record SiloSettings : ProgramSettings
{
    /// <summary>Null only where <see cref="Migrate"/> is all that is asked for.</summary>
    public ClusterRole? Role { get; init; }

    /// <summary>Bring the database's tables to this version first.</summary>
    public bool Migrate { get; init; }

    /// <summary>Which silos and gateways find each other. Default <c>statehouse</c>.</summary>
    public string ClusterId { get; init; } = "statehouse";

    /// <summary>Whose reminders and grain storage; outlives a cluster id. Default <c>statehouse</c>.</summary>
    public string ServiceId { get; init; } = "statehouse";

    /// <summary>Where other silos reach this one. Default 127.0.0.1:11111.</summary>
    public IPEndPoint SiloEndpoint { get; init; } = new(IPAddress.Loopback, 11111);

    /// <summary>Where gateways and other Orleans clients reach this silo. Default 127.0.0.1:30000.</summary>
    public IPEndPoint OrleansGatewayEndpoint { get; init; } = new(IPAddress.Loopback, 30000);

    /// <summary>Where the dashboard listens; null = there is none. Default null.</summary>
    public IPEndPoint? DashboardEndpoint { get; init; }

    /// <summary>An agent that nobody used for this long leaves memory. Default 10 min.</summary>
    public TimeSpan IdleAfter { get; init; } = new LocalAgentsOptions().IdleAfter;

    /// <summary>How long a stop may take before what is left is cut off. Default 30 s.</summary>
    public TimeSpan DrainWithin { get; init; } = TimeSpan.FromSeconds(30);

    public bool HostsAgents => Role is ClusterRole.Silo or ClusterRole.All;

    public bool ServesApi => Role is ClusterRole.Gateway or ClusterRole.All;
}

using System.Text.RegularExpressions;
using Statehouse.Gateway;

namespace Statehouse.Silo;

/// <summary>What a process of the cluster can be told.</summary>
internal static partial class SiloSettingTable
{
    // The tables of Orleans' providers hold no longer ones.
    private const string IdAllowed = "1 to 150 letters, digits, '-', '_' or '.'";

    private const long SecondsMax = 7L * 24 * 3600;

    public static readonly SettingTable<SiloSettings> Table = new(
        "A process of a Statehouse cluster over PostgreSQL: a silo that hosts agents, a gateway that serves the API, or both. "
        + "Flags win over environment variables. It drains on SIGTERM or Ctrl-C: takes nothing new, finishes what is in flight, "
        + "hands its agents over, leaves the cluster, and exits with 0.",
        FileName: null,
        new SiloSettings(),
        [
            new("role", "--role", "STATEHOUSE_ROLE", "ROLE",
                "What this process does: silo, gateway or all. Needed, but with --migrate alone", "silo, gateway or all",
                (settings, text) => Role(text) is { } role ? settings with { Role = role } : null),
            CommonSettings.Postgres<SiloSettings>("Connection string of the cluster's database. Needed"),
            new("migrate", "--migrate", null, null,
                "Brings the database's tables to this version first; without --role that is all", "given without a value",
                (settings, _) => settings with { Migrate = true }),
            new("cluster_id", "--cluster-id", "STATEHOUSE_CLUSTER_ID", "ID",
                "Which silos and gateways find each other. Default statehouse", IdAllowed,
                (settings, text) => Id().IsMatch(text) ? settings with { ClusterId = text } : null),
            new("service_id", "--service-id", "STATEHOUSE_SERVICE_ID", "ID",
                "Whose reminders and grain storage; keep it when the cluster id changes. Default statehouse", IdAllowed,
                (settings, text) => Id().IsMatch(text) ? settings with { ServiceId = text } : null),
            new("silo_addr", "--silo-port", "STATEHOUSE_SILO_ADDR", "ADDR:PORT",
                "Where other silos reach this one; port 0 takes a free one. Default 127.0.0.1:11111", CommonSettings.AddressAllowed,
                (settings, text) => CommonSettings.Address(text) is { } address ? settings with { SiloEndpoint = address } : null),
            new("orleans_gateway_addr", "--gateway-port", "STATEHOUSE_ORLEANS_GATEWAY_ADDR", "ADDR:PORT",
                "Where gateways and other Orleans clients reach this silo; port 0 takes a free one. Default 127.0.0.1:30000", CommonSettings.AddressAllowed,
                (settings, text) => CommonSettings.Address(text) is { } address ? settings with { OrleansGatewayEndpoint = address } : null),
            CommonSettings.Http<SiloSettings>(),
            CommonSettings.Grpc<SiloSettings>(),
            new("dashboard_addr", "--dashboard", "STATEHOUSE_DASHBOARD_ADDR", "ADDR:PORT",
                "Where the dashboard listens, without authentication; port 0 takes a free one. Default: there is none", CommonSettings.AddressAllowed,
                (settings, text) => CommonSettings.Address(text) is { } address ? settings with { DashboardEndpoint = address } : null),
            new("idle_after", "--idle-after", "STATEHOUSE_IDLE_AFTER", "SECONDS",
                "An agent that nobody used for this long leaves memory. Default 600", $"whole seconds from 2 to {SecondsMax}",
                (settings, text) => Seconds(text, 2) is { } time ? settings with { IdleAfter = time } : null),
            new("drain_within", "--drain-within", "STATEHOUSE_DRAIN_WITHIN", "SECONDS",
                "How long a stop may take before what is left is cut off. Default 30", $"whole seconds from 1 to {SecondsMax}",
                (settings, text) => Seconds(text, 1) is { } time ? settings with { DrainWithin = time } : null),
            .. CommonSettings.Executions<SiloSettings>(),
            CommonSettings.Log<SiloSettings>(),
        ],
        CheckTogether);

    private static void CheckTogether(SiloSettings settings)
    {
        if (settings.Role is null && !settings.Migrate)
            throw new SettingsException("--role is missing; it must be silo, gateway or all, or --migrate must be given.");
        if (settings.Postgres is null)
            throw new SettingsException("--postgres is missing: a cluster needs a connection string, as a flag or in STATEHOUSE_POSTGRES.");
        if (settings.HostsAgents && !settings.SiloEndpoint.Address.Equals(settings.OrleansGatewayEndpoint.Address))
        {
            throw new SettingsException(
                $"--silo-port is {settings.SiloEndpoint} and --gateway-port is {settings.OrleansGatewayEndpoint}; a silo is announced under one address, so both must have the same.");
        }
    }

    private static ClusterRole? Role(string text) => text switch
    {
        "silo" => ClusterRole.Silo,
        "gateway" => ClusterRole.Gateway,
        "all" => ClusterRole.All,
        _ => null,
    };

    private static TimeSpan? Seconds(string text, long min) =>
        Query.TryNumber(text, out long seconds) && seconds >= min && seconds <= SecondsMax ? TimeSpan.FromSeconds(seconds) : null;

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,150}\z")]
    private static partial Regex Id();
}

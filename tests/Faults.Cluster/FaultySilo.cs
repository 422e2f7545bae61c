using System.Globalization;
using Orleans.Configuration;
using Statehouse.Faults.Serving;
using Statehouse.Silo;

namespace Statehouse.Faults.Cluster;

/// <summary>As <see cref="FaultyServer"/>, for a process of the cluster.</summary>
/// <remarks>
/// <c>silo [as serve] [--advertised-silo-port PORT] [--advertised-gateway-port PORT] -- FLAGS OF THE SILO</c>: an advertised
/// port is the one under which others reach the silo, for instance a proxy's, while it listens where its own flags say.
/// </remarks>
internal static class FaultySilo
{
    public static async Task<int> RunAsync(string[] args)
    {
        int? siloPort = null;
        int? gatewayPort = null;
        var more = new Dictionary<string, Func<string, bool>>
        {
            ["--advertised-silo-port"] = value => TryPort(value, out siloPort),
            ["--advertised-gateway-port"] = value => TryPort(value, out gatewayPort),
        };
        using ServingFaults? faults = ServingFaults.Parse(args, Console.Error, more);
        if (faults is null)
            return 2;
        var hooks = new ClusterHooks { Silo = silo => silo.Configure<EndpointOptions>(endpoint => Advertise(endpoint, siloPort, gatewayPort)) };
        return await new SiloProgram((ClusterHooks)faults.Into(hooks)).RunAsync(faults.ProgramArgs, Console.Out, Console.Error);
    }

    private static void Advertise(EndpointOptions endpoint, int? siloPort, int? gatewayPort)
    {
        endpoint.SiloPort = siloPort ?? endpoint.SiloPort;
        endpoint.GatewayPort = gatewayPort ?? endpoint.GatewayPort;
    }

    private static bool TryPort(string text, out int? port)
    {
        bool isPort = ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number) && number > 0;
        port = number;
        return isPort;
    }
}

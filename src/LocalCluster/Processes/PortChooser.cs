using System.Net;
using System.Net.Sockets;

namespace Statehouse.LocalCluster;

/// <summary>
/// Free ports of 127.0.0.1 below those that the system hands out by itself: so no client's connection takes a
/// process's port while it restarts.
/// </summary>
internal sealed class PortChooser
{
    private const int First = 20_000;

    /// <summary>Linux hands out ports from 32,768 unless told otherwise.</summary>
    private const int Count = 32_768 - First;

    /// <summary>More than the ports of most clusters.</summary>
    private const int Stride = 32;

    private readonly HashSet<int> _taken;
    private int _next = Environment.ProcessId * Stride % Count;

    /// <summary>Commands that run at the same time begin at different places: a port is free until its process binds it.</summary>
    /// <param name="taken">Ports of the same cluster that are none to choose, perhaps of processes that do not run now.</param>
    public PortChooser(IEnumerable<ProcessState> taken) => _taken =
        [.. taken.SelectMany(process => PortsOf(process.Ports))];

    /// <param name="role">Decides which ports there are.</param>
    /// <param name="dashboard">Whether there is one for a dashboard.</param>
    /// <param name="preferred">Where it listened before; where one is taken now, another is chosen instead.</param>
    public ProcessPorts Choose(ClusterRole role, bool dashboard, ProcessPorts? preferred)
    {
        bool isSilo = role == ClusterRole.Silo;
        return new ProcessPorts(
            Http: Take(preferred?.Http),
            Grpc: isSilo ? null : Take(preferred?.Grpc),
            Silo: isSilo ? Take(preferred?.Silo) : null,
            OrleansGateway: isSilo ? Take(preferred?.OrleansGateway) : null,
            Dashboard: dashboard ? Take(preferred?.Dashboard) : null);
    }

    /// <exception cref="ClusterFailure">None is free.</exception>
    public int Take(int? preferred)
    {
        if (preferred is { } port and > 0 && !_taken.Contains(port) && IsFree(port))
            return Taken(port);
        for (int tries = 0; tries < Count; tries++)
        {
            int candidate = First + _next;
            _next = (_next + 1) % Count;
            if (!_taken.Contains(candidate) && IsFree(candidate))
                return Taken(candidate);
        }
        throw new ClusterFailure($"no port from {First} to {First + Count - 1} is free on 127.0.0.1.");
    }

    private int Taken(int port)
    {
        _taken.Add(port);
        return port;
    }

    private static IEnumerable<int> PortsOf(ProcessPorts ports) =>
        new[] { ports.Http, ports.Grpc, ports.Silo, ports.OrleansGateway, ports.Dashboard }.OfType<int>();

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            return false;
        }
    }
}

using System.Net;
using System.Net.Sockets;
using Statehouse.Gateway;

namespace Statehouse.Silo;

/// <summary>
/// The two ports of a silo, kept for it until it listens. Orleans must know its ports before it binds them, and it binds
/// also a port on which somebody listens already: it shares it. A second silo there would take the first one, under
/// the same address, for its own past and declare it dead.
/// </summary>
/// <remarks>
/// The sockets here are bound as only one process can, and only then open to be shared, with the Orleans of this one.
/// They do not listen, so no connection comes to them.
/// </remarks>
internal sealed class SiloPorts : IDisposable
{
    private readonly List<Socket> _held = [];

    private SiloPorts()
    {
    }

    public IPEndPoint Silo { get; private set; } = null!;

    /// <summary>Orleans' gateway: where clients connect.</summary>
    public IPEndPoint Gateway { get; private set; } = null!;

    /// <summary>Takes a free port where 0 is asked for.</summary>
    /// <exception cref="ProgramException">An address is taken by another process, or none of this machine.</exception>
    public static SiloPorts Keep(SiloSettings settings)
    {
        var ports = new SiloPorts();
        try
        {
            ports.Silo = ports.Keep("--silo-port", settings.SiloEndpoint);
            ports.Gateway = ports.Keep("--gateway-port", settings.OrleansGatewayEndpoint);
            return ports;
        }
        catch
        {
            ports.Dispose();
            throw;
        }
    }

    public void Dispose() => _held.ForEach(socket => socket.Dispose());

    private IPEndPoint Keep(string flag, IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _held.Add(socket);
        try
        {
            socket.Bind(endpoint);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            return (IPEndPoint)socket.LocalEndPoint!;
        }
        catch (SocketException error)
        {
            throw new ProgramException($"{flag} {endpoint} cannot be bound: {error.Message}.", error);
        }
    }
}

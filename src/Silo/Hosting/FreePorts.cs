using System.Net;
using System.Net.Sockets;

namespace Statehouse.Silo;

/// <summary>
/// Orleans must know its ports before it binds them, so a free one is looked for first. Somebody may take it in between:
/// whoever starts a silo tries again then.
/// </summary>
internal static class FreePorts
{
    /// <summary>The addresses with a free port where theirs is 0; no two the same.</summary>
    public static IReadOnlyList<IPEndPoint> Resolve(params IReadOnlyList<IPEndPoint> addresses)
    {
        var held = new List<Socket>();
        try
        {
            return [.. addresses.Select(address => address.Port == 0 ? Hold(address, held) : address)];
        }
        finally
        {
            held.ForEach(socket => socket.Dispose());
        }
    }

    /// <summary>Held until all are found, or the second could be the first again.</summary>
    private static IPEndPoint Hold(IPEndPoint address, List<Socket> held)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        held.Add(socket);
        socket.Bind(address);
        return (IPEndPoint)socket.LocalEndPoint!;
    }
}

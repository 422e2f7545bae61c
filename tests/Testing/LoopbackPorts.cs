using System.Net;
using System.Net.Sockets;

namespace Statehouse.Testing;

/// <summary>
/// Free loopback ports for servers that are killed and started again on the same ones: below the range from which the kernel
/// takes ports for outgoing connections, so that none of these sits on one while its server is down.
/// </summary>
public static class LoopbackPorts
{
    private const int First = 20_000;
    private const int Last = 32_000;

    private static readonly Lock Guard = new();
    private static readonly HashSet<int> Taken = [];

    /// <summary>One that nobody listens on now, and that this process was not given before.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static int Take()
    {
        lock (Guard)
        {
            // From anywhere: other test processes look at the same time.
            int start = Random.Shared.Next(First, Last);
            for (int i = 0; i < Last - First; i++)
            {
                int port = First + (start - First + i) % (Last - First);
                if (!Taken.Contains(port) && IsFree(port) && Taken.Add(port))
                    return port;
            }
        }
        throw new InvalidOperationException($"No loopback port from {First} to {Last} is free.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Statehouse.FrontDoors.Tests.Http;

namespace Statehouse.FrontDoors.Tests.Load;

/// <summary>One connection of many: small, so that thousands of them fit into the test's process.</summary>
internal sealed class RawClient : IDisposable
{
    private const int BufferBytes = 2048;

    private readonly Socket _socket;

    private RawClient(Socket socket) => _socket = socket;

    /// <summary>How many connections this process may open, and the server may take: half of the limit on files is left for all else.</summary>
    public static int ConnectionsMax { get; } = ReadLimit() - 1000;

    /// <param name="address">Host and port.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SocketException">The server takes no more.</exception>
    public static async Task<RawClient> ConnectAsync(string address, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(IPEndPoint.Parse(address), cancellationToken);
            return new RawClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
            bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
    }

    public Task SendAsync(string text, CancellationToken cancellationToken) => SendAsync(Encoding.ASCII.GetBytes(text), cancellationToken);

    /// <summary>The next reply.</summary>
    /// <returns>null: the connection has been closed.</returns>
    public async Task<WireReply?> ReadReplyAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BufferBytes];
        int length = 0;
        while (true)
        {
            if (WireReply.ReadAll(buffer.AsSpan(0, length), out _) is [WireReply reply, ..])
                return reply;
            if (length == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            int read = await ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0)
                return null;
            length += read;
        }
    }

    /// <summary>Waits until the server closes; what it says before that is dropped.</summary>
    public async Task WaitForCloseAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BufferBytes];
        while (await ReadAsync(buffer, cancellationToken) > 0)
        {
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <returns>0 where it is closed, also where it was closed the hard way.</returns>
    private async Task<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private static int ReadLimit()
    {
        string line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) ? limit : 1 << 20;
    }
}

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Statehouse.Costs.Tests.Postgres;

/// <summary>
/// Stands between a store and PostgreSQL, and counts round trips as the server sees them: the messages after which a client
/// waits for an answer (Sync, and a simple Query). Source: https://www.postgresql.org/docs/15/protocol-message-formats.html.
/// </summary>
internal sealed class CountingProxy : IAsyncDisposable
{
    private const int StartupProtocol = 3 << 16;
    private const int HeaderBytes = 5;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly IPEndPoint _server;
    private readonly Task _accepting;
    private long _roundTrips;
    private long _connections;
    private long _parsed;

    /// <param name="connectionString">Of the database behind it.</param>
    public CountingProxy(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        _server = new IPEndPoint(IPAddress.Parse(settings.Host!), settings.Port);
        _listener.Start();
        settings.Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        settings.SslMode = SslMode.Disable;
        ConnectionString = settings.ConnectionString;
        _accepting = AcceptAsync();
    }

    /// <summary>Of the same database, through this.</summary>
    public string ConnectionString { get; }

    /// <summary>What went through while something ran; nothing else may be running.</summary>
    public async Task<Traffic> CountAsync(Func<Task> work)
    {
        Traffic before = Now();
        await work();
        Traffic after = Now();
        return new Traffic(after.RoundTrips - before.RoundTrips, after.Parsed - before.Parsed, after.Connections - before.Connections);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stopping.Dispose();
    }

    private Traffic Now() => new(Interlocked.Read(ref _roundTrips), Interlocked.Read(ref _parsed), Interlocked.Read(ref _connections));

    private async Task AcceptAsync()
    {
        var running = new List<Task>();
        try
        {
            while (true)
                running.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
        }
        catch (OperationCanceledException)
        {
            // The end of all; whoever is still connected is cut off.
        }
        await Task.WhenAll(running);
    }

    private async Task ServeAsync(TcpClient client)
    {
        Interlocked.Increment(ref _connections);
        using TcpClient accepted = client;
        using var server = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        try
        {
            await server.ConnectAsync(_server, _stopping.Token);
            Task back = server.GetStream().CopyToAsync(client.GetStream(), _stopping.Token);
            await ForwardAsync(client.GetStream(), server.GetStream());
            server.Client.Shutdown(SocketShutdown.Send);
            await back;
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
        {
            // One side has gone; the other is closed with it.
        }
    }

    /// <summary>Message by message, counted before it is passed on: whoever has its answer finds it counted.</summary>
    private async Task ForwardAsync(NetworkStream client, NetworkStream server)
    {
        byte[] message = new byte[1 << 20];
        bool isStarted = false;
        while (true)
        {
            // Before the session has begun, messages have no type.
            int header = isStarted ? HeaderBytes : HeaderBytes - 1;
            if (await client.ReadAtLeastAsync(message.AsMemory(0, header), header, throwOnEndOfStream: false, _stopping.Token) < header)
                return;
            int length = header + BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(header - 4)) - 4;
            if (length > message.Length)
                Array.Resize(ref message, length);
            await client.ReadExactlyAsync(message.AsMemory(header, length - header), _stopping.Token);
            if (isStarted)
                Count(message[0]);
            else
                isStarted = BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(header)) == StartupProtocol;
            await server.WriteAsync(message.AsMemory(0, length), _stopping.Token);
        }
    }

    private void Count(byte type)
    {
        if (type is (byte)'S' or (byte)'Q')
            Interlocked.Increment(ref _roundTrips);
        else if (type == (byte)'P')
            Interlocked.Increment(ref _parsed);
    }
}

/// <summary>What went from a store to PostgreSQL.</summary>
/// <param name="RoundTrips">Times that the client waited for the server, but for what it takes to connect.</param>
/// <param name="Parsed">Statements that the server had to parse: prepared ones only once.</param>
/// <param name="Connections">Opened.</param>
internal readonly record struct Traffic(long RoundTrips, long Parsed, long Connections);

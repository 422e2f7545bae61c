using System.Net;
using System.Net.Sockets;
using Statehouse.Testing;

namespace Statehouse.Faults.Injection;

/// <summary>Which way bytes go.</summary>
[Flags]
internal enum Direction
{
    None = 0,

    /// <summary>From who connected to who listens.</summary>
    Requests = 1,

    /// <summary>Back.</summary>
    Replies = 2,
    Both = Requests | Replies,
}

/// <summary>
/// A network link that can be made bad: it listens on a loopback port and passes on what it gets to another one. Slow, cut in
/// one direction or both, broken off, or losing replies whose requests were delivered.
/// </summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly int _target;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Link> _links = [];
    private readonly Task _accepting;
    private TaskCompletionSource _requestsPass = Passing();
    private TaskCompletionSource _repliesPass = Passing();
    private Random _random = new(0);
    private double _lossShare;
    private bool _isRefusing;
    private long _delayTicks;

    /// <param name="target">The loopback port that is passed on to; nobody needs to listen there yet.</param>
    /// <param name="port">Where this one listens; null = a free one.</param>
    public TcpProxy(int target, int? port = null)
    {
        _target = target;
        Port = port ?? LoopbackPorts.Take();
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Connections that are open.</summary>
    public int Connections
    {
        get
        {
            lock (_lock)
                return _links.Count;
        }
    }

    /// <summary>Replies that were lost so far.</summary>
    public int RepliesLost => _repliesLost;

    private int _repliesLost;

    /// <summary>What is sent waits for this long, in both directions.</summary>
    public void Slow(TimeSpan delay) => Interlocked.Exchange(ref _delayTicks, delay.Ticks);

    /// <summary>What is sent that way stays under way until <see cref="Heal"/>; nobody is told.</summary>
    public void Cut(Direction direction)
    {
        lock (_lock)
        {
            if (direction.HasFlag(Direction.Requests) && _requestsPass.Task.IsCompleted)
                _requestsPass = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (direction.HasFlag(Direction.Replies) && _repliesPass.Task.IsCompleted)
                _repliesPass = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>A share of the replies is lost, after their requests were delivered: their connection is reset instead.</summary>
    /// <param name="share">0 to 1.</param>
    /// <param name="random">Chooses which.</param>
    public void LoseReplies(double share, Random random)
    {
        lock (_lock)
            (_lossShare, _random) = (share, random);
    }

    /// <summary>New connections are closed at once, those that are open are reset.</summary>
    public void Refuse()
    {
        lock (_lock)
            _isRefusing = true;
        ResetConnections();
    }

    /// <summary>All connections are broken off; new ones are taken.</summary>
    public void ResetConnections()
    {
        List<Link> links;
        lock (_lock)
            links = [.. _links];
        links.ForEach(link => link.Reset());
    }

    /// <summary>A good link again.</summary>
    /// <param name="isReset">Whether what was held under way is lost with its connections; otherwise it now arrives, late.</param>
    public void Heal(bool isReset = false)
    {
        bool isHolding;
        lock (_lock)
        {
            isHolding = !_requestsPass.Task.IsCompleted || !_repliesPass.Task.IsCompleted;
            (_lossShare, _isRefusing) = (0, false);
        }
        Slow(TimeSpan.Zero);
        if (isReset && isHolding)
            ResetConnections();
        lock (_lock)
        {
            _requestsPass.TrySetResult();
            _repliesPass.TrySetResult();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Stop();
        ResetConnections();
        await _accepting;
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_closing.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(_closing.Token);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                // Closed, or a client that went away before it was accepted.
                continue;
            }
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var link = new Link(client, new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        client.NoDelay = true;
        bool isRefused;
        lock (_lock)
        {
            isRefused = _isRefusing || _closing.IsCancellationRequested;
            if (!isRefused)
                _links.Add(link);
        }
        try
        {
            if (isRefused)
                return;
            await link.Server.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _target), link.Broken.Token);
            await Task.WhenAll(PumpAsync(link, link.Client, link.Server, isReply: false), PumpAsync(link, link.Server, link.Client, isReply: true));
        }
        catch (Exception error) when (IsConnectionEnd(error))
        {
            // One side is gone: so is the other.
        }
        finally
        {
            link.Reset();
            lock (_lock)
                _links.Remove(link);
        }
    }

    private async Task PumpAsync(Link link, Socket from, Socket to, bool isReply)
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            while (await from.ReceiveAsync(buffer, link.Broken.Token) is var count and > 0)
            {
                if (Interlocked.Read(ref _delayTicks) is var ticks and > 0)
                    await Task.Delay(TimeSpan.FromTicks(ticks), link.Broken.Token);
                await Passage(isReply).WaitAsync(link.Broken.Token);
                if (isReply && IsLost())
                {
                    Interlocked.Increment(ref _repliesLost);
                    link.Reset();
                    return;
                }
                for (int sent = 0; sent < count;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), link.Broken.Token);
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (IsConnectionEnd(error))
        {
            link.Reset();
        }
    }

    private Task Passage(bool isReply)
    {
        lock (_lock)
            return isReply ? _repliesPass.Task : _requestsPass.Task;
    }

    private bool IsLost()
    {
        lock (_lock)
            return _lossShare > 0 && _random.NextDouble() < _lossShare;
    }

    private static bool IsConnectionEnd(Exception error) =>
        error is SocketException or IOException or ObjectDisposedException or OperationCanceledException;

    private static TaskCompletionSource Passing()
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        source.SetResult();
        return source;
    }

    /// <summary>One connection and the one that it is passed on to.</summary>
    private sealed class Link(Socket client, Socket server)
    {
        private int _isReset;

        public Socket Client => client;

        public Socket Server => server;

        public CancellationTokenSource Broken { get; } = new();

        /// <summary>Ends both with RST; once.</summary>
        public void Reset()
        {
            if (Interlocked.Exchange(ref _isReset, 1) != 0)
                return;
            Broken.Cancel();
            Close(client);
            Close(server);
        }

        private static void Close(Socket socket)
        {
            try
            {
                socket.LingerState = new LingerOption(true, 0);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // It was never connected, or is closed: there is nothing to reset.
            }
            socket.Dispose();
        }
    }
}

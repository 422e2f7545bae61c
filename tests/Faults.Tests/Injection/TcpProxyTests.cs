using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Statehouse.Faults.Injection;

namespace Statehouse.Faults.Tests.Injection;

/// <summary>A link between a client and a server that answers each byte with the same, and counts.</summary>
public sealed class TcpProxyTests : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongEnoughToArrive = TimeSpan.FromMilliseconds(300);

    private readonly EchoServer _server = new();
    private TcpProxy _proxy = null!;

    public ValueTask InitializeAsync()
    {
        _proxy = new TcpProxy(_server.Port);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_good_link_passes_everything_on()
    {
        using Socket client = await ConnectAsync();
        Assert.Equal(1, await AskAsync(client, 1));
        Assert.Equal(2, await AskAsync(client, 2));
    }

    [Fact]
    public async Task A_slow_link_takes_its_time_in_both_directions()
    {
        using Socket client = await ConnectAsync();
        await AskAsync(client, 1);
        _proxy.Slow(TimeSpan.FromMilliseconds(150));
        long began = Stopwatch.GetTimestamp();
        Assert.Equal(2, await AskAsync(client, 2));
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.FromMilliseconds(300), Bound);
    }

    [Fact]
    public async Task What_is_sent_while_requests_are_cut_arrives_late()
    {
        using Socket client = await ConnectAsync();
        await AskAsync(client, 1);
        _proxy.Cut(Direction.Requests);
        Task<int> answer = AskAsync(client, 2);
        await Task.Delay(LongEnoughToArrive, TestContext.Current.CancellationToken);
        Assert.False(answer.IsCompleted);
        Assert.Equal(1, _server.Received);
        _proxy.Heal();
        Assert.Equal(2, await answer);
    }

    [Fact]
    public async Task While_replies_are_cut_requests_are_delivered()
    {
        using Socket client = await ConnectAsync();
        await AskAsync(client, 1);
        _proxy.Cut(Direction.Replies);
        Task<int> answer = AskAsync(client, 2);
        await _server.WaitUntilReceivedAsync(2, Bound);
        Assert.False(answer.IsCompleted);
        _proxy.Heal();
        Assert.Equal(2, await answer);
    }

    [Fact]
    public async Task A_cut_that_heals_with_a_reset_loses_what_was_under_way()
    {
        using Socket client = await ConnectAsync();
        await AskAsync(client, 1);
        _proxy.Cut(Direction.Both);
        Task<int> answer = AskAsync(client, 2);
        await Task.Delay(LongEnoughToArrive, TestContext.Current.CancellationToken);
        _proxy.Heal(isReset: true);
        await Assert.ThrowsAsync<SocketException>(() => answer);
        Assert.Equal(1, _server.Received);
        using Socket again = await ConnectAsync();
        Assert.Equal(3, await AskAsync(again, 3));
    }

    [Fact]
    public async Task A_lost_reply_is_one_whose_request_was_delivered()
    {
        using Socket client = await ConnectAsync();
        _proxy.LoseReplies(1, new Random(1));
        await Assert.ThrowsAsync<SocketException>(() => AskAsync(client, 1));
        Assert.Equal(1, _server.Received);
        Assert.Equal(1, _proxy.RepliesLost);
        _proxy.Heal();
        using Socket again = await ConnectAsync();
        Assert.Equal(2, await AskAsync(again, 2));
    }

    [Fact]
    public async Task A_link_that_refuses_resets_what_is_open_and_lets_nobody_in_until_it_is_healed()
    {
        using Socket client = await ConnectAsync();
        await AskAsync(client, 1);
        _proxy.Refuse();
        await Assert.ThrowsAsync<SocketException>(() => AskAsync(client, 2));
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using Socket refused = await ConnectAsync();
            await AskAsync(refused, 3);
        });
        Assert.Equal(1, _server.Received);
        _proxy.Heal();
        using Socket again = await ConnectAsync();
        Assert.Equal(4, await AskAsync(again, 4));
    }

    [Fact]
    public async Task Reset_connections_are_gone_and_new_ones_are_taken()
    {
        using Socket client = await ConnectAsync();
        await AskAsync(client, 1);
        _proxy.ResetConnections();
        await Assert.ThrowsAsync<SocketException>(() => AskAsync(client, 2));
        using Socket again = await ConnectAsync();
        Assert.Equal(3, await AskAsync(again, 3));
    }

    [Fact]
    public async Task Nobody_behind_the_link_ends_the_connection()
    {
        await using var lonely = new TcpProxy(LoopbackPorts.Take());
        // The reset may come before the client knows that it was connected.
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            using Socket client = await ConnectAsync(lonely.Port);
            await AskAsync(client, 1);
        });
        Assert.Equal(0, lonely.Connections);
    }

    private Task<Socket> ConnectAsync() => ConnectAsync(_proxy.Port);

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), TestContext.Current.CancellationToken);
        return socket;
    }

    private static async Task<int> AskAsync(Socket socket, byte question)
    {
        using var bound = new CancellationTokenSource(Bound);
        await socket.SendAsync(new[] { question }, bound.Token);
        byte[] answer = new byte[1];
        int count = await socket.ReceiveAsync(answer, bound.Token);
        return count == 0 ? throw new SocketException((int)SocketError.ConnectionReset) : answer[0];
    }

    private sealed class EchoServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _ending = new();
        private int _received;

        public EchoServer()
        {
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Received => Volatile.Read(ref _received);

        public async Task WaitUntilReceivedAsync(int count, TimeSpan bound)
        {
            long began = Stopwatch.GetTimestamp();
            while (Received < count)
            {
                Assert.True(Stopwatch.GetElapsedTime(began) < bound, $"Waited {bound} for byte {count}; {Received} came.");
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _ending.CancelAsync();
            _listener.Stop();
            _ending.Dispose();
        }

        private async Task AcceptAsync()
        {
            CancellationToken ending = _ending.Token;
            try
            {
                while (true)
                    _ = EchoAsync(await _listener.AcceptSocketAsync(ending), ending);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task EchoAsync(Socket socket, CancellationToken ending)
        {
            using (socket)
            {
                byte[] buffer = new byte[1];
                try
                {
                    while (await socket.ReceiveAsync(buffer, ending) > 0)
                    {
                        Interlocked.Increment(ref _received);
                        await socket.SendAsync(buffer, ending);
                    }
                }
                catch (Exception error) when (error is OperationCanceledException or SocketException)
                {
                    // The link broke, as tests want.
                }
            }
        }
    }
}

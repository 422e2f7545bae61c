using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Statehouse.FrontDoors.Tests.Fuzzing;
using Statehouse.FrontDoors.Tests.Http;
using Statehouse.Testing;

namespace Statehouse.FrontDoors.Tests.Load;

/// <summary>More than the server can take: it says so, and stays what it was.</summary>
public sealed class BackPressureTests
{
    private const int ClientsWanted = 10_000;
    private const int Agents = 50;
    private const int KeysPerAgent = 4;
    private const int ValueBytes = 64 * 1024;

    /// <summary>What the server is started with, and what it may take beside its heap: code, stacks, sockets.</summary>
    private const long HeapBytesMax = 1L << 30;
    private const long PeakBytesMax = HeapBytesMax + (512L << 20);

    private static readonly TimeSpan PushFor = TimeSpan.FromSeconds(6);

    /// <summary>A client that hears nothing this long gives up: none of them may.</summary>
    private static readonly TimeSpan ReplyBound = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>A server whose heap is bounded, as docs/operating.md tells operators to.</summary>
    /// <param name="heapBytesMax">Its bound.</param>
    /// <param name="limits"><c>name=value</c> each, as of <c>--limit</c>.</param>
    internal static ServerProcess BoundedServer(long heapBytesMax = HeapBytesMax, params IEnumerable<string> limits) => new()
    {
        Environment = new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "0x" + heapBytesMax.ToString("x", CultureInfo.InvariantCulture) },
        MoreFlags = [.. limits.SelectMany(limit => (string[])["--limit", limit])],
    };

    [Fact]
    public async Task Ten_thousand_clients_that_push_too_much_are_told_so_and_what_was_acknowledged_is_there()
    {
        await using ServerProcess server = BoundedServer();
        await server.StartAsync(Cancelled);
        await server.ExpectServiceAsync();
        int clients = Math.Min(ClientsWanted, RawClient.ConnectionsMax);
        var replies = new ConcurrentDictionary<string, int>();
        var acknowledged = new ConcurrentDictionary<(int Agent, int Key), int>();
        byte[] filler = Encoding.ASCII.GetBytes(new string('x', ValueBytes) + "\"");
        long until = Stopwatch.GetTimestamp() + (long)(PushFor.TotalSeconds * Stopwatch.Frequency);

        await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(
            () => PushAsync(server, client, filler, until, replies, acknowledged), Cancelled)));

        foreach ((string reply, int count) in replies.OrderBy(each => each.Key, StringComparer.Ordinal))
            TestContext.Current.TestOutputHelper?.WriteLine($"{count} {reply}");
        Assert.All(replies.Keys, reply => Assert.Contains(reply, (string[])["200", "429 SH-2003", "closed", "not connected"]));
        Assert.InRange(replies.GetValueOrDefault("200"), 1000, int.MaxValue);
        Assert.InRange(replies.GetValueOrDefault("429 SH-2003"), 1000, int.MaxValue);
        await server.ExpectServiceAsync();
        foreach (((int agent, int key), int count) in acknowledged)
        {
            using JsonDocument read = JsonDocument.Parse(await server.Http.GetStringAsync(PathOf(agent, key), Cancelled));
            Assert.InRange(read.RootElement.GetProperty("version").GetInt64(), count, long.MaxValue);
        }
        server.ExpectNoErrorLogged();
        server.ExpectPeakBelow(PeakBytesMax);
    }

    [Fact]
    public async Task Requests_of_8_MiB_all_at_once_hold_no_more_than_the_limit()
    {
        const int Clients = 300;
        await using ServerProcess server = BoundedServer();
        await server.StartAsync(Cancelled);
        await server.ExpectServiceAsync();
        // One that is refused for what it is, so that no journal slows the others down.
        byte[] body = Encoding.ASCII.GetBytes("{\"operations\":[" + new string(' ', (8 << 20) - 100) + "]}");
        byte[] head = Encoding.ASCII.GetBytes(
            $"POST /v1/namespaces/default/agents/big/commits HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n\r\n");
        var replies = new ConcurrentDictionary<string, int>();

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(
            async () =>
            {
                using RawClient client = await RawClient.ConnectAsync(server.Address, Cancelled);
                await client.SendAsync(head, Cancelled);
                Count(replies, await SendAndReadAsync(client, body));
            },
            Cancelled)));

        foreach ((string reply, int count) in replies)
            TestContext.Current.TestOutputHelper?.WriteLine($"{count} {reply}");
        Assert.All(replies.Keys, reply => Assert.Contains(reply, (string[])["400 SH-1003", "429 SH-2003", "closed"]));
        Assert.InRange(replies.GetValueOrDefault("400 SH-1003"), 1, int.MaxValue);
        await server.ExpectServiceAsync();
        server.ExpectPeakBelow(PeakBytesMax);
    }

    private static async Task<string> SendAndReadAsync(RawClient client, byte[] body)
    {
        Task<WireReply?> reply = client.ReadReplyAsync(Cancelled);
        try
        {
            await client.SendAsync(body, Cancelled);
        }
        catch (SocketException)
        {
            // Refused before it was all sent.
        }
        return Text(await reply.WaitAsync(ReplyBound, Cancelled));
    }

    /// <summary>Writes one value after the other until the time is up; a client whose connection is closed opens another.</summary>
    private static async Task PushAsync(
        ServerProcess server, int client, byte[] body, long until, ConcurrentDictionary<string, int> replies,
        ConcurrentDictionary<(int Agent, int Key), int> acknowledged)
    {
        (int agent, int key) = (client % Agents, client / Agents % KeysPerAgent);
        byte[] head = Encoding.ASCII.GetBytes($"PUT {PathOf(agent, key)} HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length + 1}\r\n\r\n\"");
        RawClient? connection = null;
        try
        {
            while (Stopwatch.GetTimestamp() < until)
            {
                connection ??= await TryConnectAsync(server);
                string reply = connection is null ? "not connected" : await PutAsync(connection, head, body);
                Count(replies, reply);
                if (reply == "200")
                    acknowledged.AddOrUpdate((agent, key), 1, (_, count) => count + 1);
                if (reply != "200")
                {
                    connection?.Dispose();
                    connection = null;
                    await Task.Delay(100, Cancelled);
                }
            }
        }
        finally
        {
            connection?.Dispose();
        }
    }

    private static async Task<string> PutAsync(RawClient connection, byte[] head, byte[] body)
    {
        try
        {
            await connection.SendAsync(head, Cancelled);
            await connection.SendAsync(body, Cancelled);
            return Text(await connection.ReadReplyAsync(Cancelled).WaitAsync(ReplyBound, Cancelled));
        }
        catch (SocketException)
        {
            return "closed";
        }
    }

    private static async Task<RawClient?> TryConnectAsync(ServerProcess server)
    {
        try
        {
            return await RawClient.ConnectAsync(server.Address, Cancelled);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static string Text(WireReply? reply)
    {
        if (reply is null)
            return "closed";
        reply.Check();
        if (reply.Status < 400)
            return reply.Status.ToString(CultureInfo.InvariantCulture);
        using JsonDocument problem = JsonDocument.Parse(reply.Body);
        return $"{reply.Status} {problem.RootElement.GetProperty("code").GetString()}";
    }

    private static void Count(ConcurrentDictionary<string, int> replies, string reply) => replies.AddOrUpdate(reply, 1, (_, count) => count + 1);

    private static string PathOf(int agent, int key) =>
        string.Create(CultureInfo.InvariantCulture, $"/v1/namespaces/load/agents/a{agent}/state/k{key}");
}

using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Statehouse.FrontDoors.Tests.Fuzzing;
using Statehouse.Testing;

namespace Statehouse.FrontDoors.Tests.Http;

/// <summary>Requests of every route, changed at random, against a real server.</summary>
public sealed class HttpFuzzTests
{
    private const int Workers = 24;
    private const long PeakBytesMax = 700L << 20;

    /// <summary>A reply that is owed comes within this, also where the machine is busy.</summary>
    private static readonly TimeSpan ReplyBound = TimeSpan.FromSeconds(10);

    /// <summary>Where the request may not have ended, nothing more is waited for after this much silence.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(100);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_is_sent_the_server_lives_and_every_reply_is_well_formed()
    {
        await using ServerProcess server = await ServerProcess.StartNewAsync(Cancelled);
        var requests = new ApiRequests(await server.Http.GetStringAsync("/openapi/v1.json", Cancelled));
        Assert.Empty(requests.WithoutBody);
        await server.ExpectServiceAsync();
        string txn = await BeginAsync(server);
        int answered = 0;
        int refused = 0;

        var run = new FuzzRun();
        await run.RunAsync(Workers, async (random, number) =>
        {
            // Requests of the run end the transaction now and then, each in its own way.
            if (number % 200 == 199)
                txn = await BeginAsync(server);
            ApiRequest request = requests.Make(random, number % requests.Count, txn);
            ApiRequest other = requests.Make(random, random.Next(requests.Count), txn);
            HttpCase sent = number % 10 == 0 ? new(request.ToBytes(), OwesAnswer: true, IsOne: random.Next(8) > 0) : HttpMutator.Mutate(random, request, other);
            List<WireReply> replies = await ExchangeAsync(server, sent);
            Interlocked.Add(ref answered, replies.Count(reply => reply.Status < 400));
            Interlocked.Add(ref refused, replies.Count(reply => reply.Status >= 400));
        });

        TestContext.Current.TestOutputHelper?.WriteLine($"{answered} replies, {refused} refusals");
        // A run that is refused before it reaches a route tests no route, and one that is never refused mutates nothing.
        Assert.InRange(answered, run.Cases / 20, int.MaxValue);
        Assert.InRange(refused, run.Cases / 20, int.MaxValue);
        await server.ExpectServiceAsync();
        server.ExpectNoErrorLogged();
        server.ExpectPeakBelow(PeakBytesMax);
    }

    private static async Task<string> BeginAsync(ServerProcess server)
    {
        using HttpResponseMessage reply = await server.Http.PostAsync("/v1/transactions", null, Cancelled);
        using JsonDocument json = JsonDocument.Parse(await reply.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Cancelled));
        return json.RootElement.GetProperty("txn_id").GetString()!;
    }

    /// <summary>Sends the case's bytes and reads what comes, all of which must be whole replies.</summary>
    private static async Task<List<WireReply>> ExchangeAsync(ServerProcess server, HttpCase sent)
    {
        using var tcp = new TcpClient { NoDelay = true };
        string[] address = server.Address.Split(':');
        await tcp.ConnectAsync(address[0], int.Parse(address[1], System.Globalization.CultureInfo.InvariantCulture), Cancelled);
        NetworkStream stream = tcp.GetStream();
        Task sending = SendAsync(stream, sent.Bytes);
        byte[] came = [];
        try
        {
            came = await ReadAsync(stream, sent);
            await sending;
            List<WireReply> replies = WireReply.ReadAll(came, out int rest);
            if (rest > 0 && !IsEventStream(came))
                throw new FormatException($"{rest} bytes that are no whole reply.");
            foreach (WireReply reply in replies)
                reply.Check();
            return replies;
        }
        catch (Exception error) when (error is FormatException or JsonException or TimeoutException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException($"{error.Message}\n--- sent:\n{Shown(sent.Bytes)}\n--- came:\n{Shown(came)}\n--- errors of the server:\n{server.ErrorsLogged()}", error);
        }
    }

    private static async Task SendAsync(NetworkStream stream, byte[] bytes)
    {
        try
        {
            await stream.WriteAsync(bytes, Cancelled);
        }
        catch (IOException)
        {
            // The server has refused it and closed before it had all: its right.
        }
    }

    /// <summary>Reads until the server closes, or has said all that it owes and then nothing for a while.</summary>
    private static async Task<byte[]> ReadAsync(NetworkStream stream, HttpCase sent)
    {
        using var came = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
            bool isOwed = sent.OwesAnswer && came.Length == 0 || !IsWhole(came.ToArray());
            if (!isOwed && sent.IsOne)
                break;
            patience.CancelAfter(isOwed ? ReplyBound : Silence);
            try
            {
                int read = await stream.ReadAsync(buffer, patience.Token);
                if (read == 0)
                    break;
                came.Write(buffer, 0, read);
            }
            catch (OperationCanceledException) when (!Cancelled.IsCancellationRequested)
            {
                if (isOwed)
                    throw new TimeoutException($"No reply, or half a one, after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s.");
                break;
            }
            catch (IOException)
            {
                break;
            }
        }
        if (sent.OwesAnswer && came.Length == 0)
            throw new TimeoutException("The connection was closed without a reply.");
        return came.ToArray();
    }

    private static bool IsWhole(byte[] came)
    {
        _ = WireReply.ReadAll(came, out int rest);
        return rest == 0 || IsEventStream(came);
    }

    /// <summary>One that follows never ends by itself.</summary>
    private static bool IsEventStream(byte[] came) => came.AsSpan().IndexOf("text/event-stream"u8) >= 0;

    private static string Shown(byte[] bytes)
    {
        var text = new StringBuilder();
        foreach (byte b in bytes.Take(4000))
            text.Append(b is >= 0x20 and < 0x7F or (byte)'\n' ? ((char)b).ToString() : $"\\x{b:x2}");
        return text.ToString();
    }
}

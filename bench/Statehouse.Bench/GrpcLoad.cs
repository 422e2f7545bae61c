using System.Diagnostics;
using System.Text;

namespace Statehouse.Bench;

/// <summary>What DESIGN's figures F5, F6 and F7 ask for.</summary>
internal sealed class GrpcLoad(string address, int clients, TimeSpan duration)
{
    private const int InFlight = 90;

    // Struct {"n": 1, "status": "done"}.
    private static readonly byte[] Value =
        [.. Field(1, [.. Field(1, "n"), .. Field(2, [0x11, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F])]), .. Field(1, [.. Field(1, "status"), .. Field(2, Field(3, "done"))])];

    public Task<double> TransactionsAsync() => RateAsync((connection, client) =>
    {
        byte[] begun = connection.Call("BeginTransaction", []);
        // The reply is one string, and so is the commit's request, under the same number.
        connection.Call("Write", [.. begun, .. Field(3, $"bench-{client}"), .. Field(4, "k"), .. Field(5, Value)]);
        connection.Call("Commit", begun);
    });

    public Task<double> ReadsAsync() => RateAsync((connection, client) =>
        connection.Call("GetState", [.. Field(2, $"bench-{client}"), .. Field(3, "k")]));

    public async Task<(long Events, double PerSecond)> ReplayAsync(int commits)
    {
        string agent = "bench-replay-" + Guid.NewGuid().ToString("N");
        using var connection = new GrpcConnection(address);
        // In flight together, so that they share fsyncs.
        int left = commits;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                byte[] begun = await connection.CallAsync("BeginTransaction", []);
                await connection.CallAsync("Write", [.. begun, .. Field(3, agent), .. Field(4, "k"), .. Field(5, Value)]);
                await connection.CallAsync("Commit", begun);
            }
        }));
        double best = 0;
        long events = 0;
        for (int round = 0; round < 3; round++)
        {
            long started = Stopwatch.GetTimestamp();
            events = await connection.CountAsync("Replay", Field(2, agent));
            best = Math.Max(best, events / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        return (events, best);
    }

    /// <summary>Runs a step on every client, each on a thread of its own, over and over; the first second does not count.</summary>
    private async Task<double> RateAsync(Action<RawGrpcClient, int> step)
    {
        long started = Stopwatch.GetTimestamp();
        TimeSpan warm = TimeSpan.FromSeconds(1);
        long[] counts = await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Factory.StartNew(
            () =>
            {
                using var connection = new RawGrpcClient(address);
                long count = 0;
                for (TimeSpan elapsed; (elapsed = Stopwatch.GetElapsedTime(started)) < warm + duration;)
                {
                    step(connection, client);
                    if (elapsed >= warm)
                        count++;
                }
                return count;
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        return counts.Sum() / duration.TotalSeconds;
    }

    private static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    /// <summary>A length-delimited field of less than 128 bytes.</summary>
    private static byte[] Field(int number, byte[] content) => [(byte)(number << 3 | 2), (byte)content.Length, .. content];
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Statehouse.Bench.Load;
using Statehouse.Bench.Targets;

namespace Statehouse.Bench.Executions;

/// <summary>One measure a method; each prints what it saw.</summary>
internal sealed class Measures(ExecutionLoad load)
{
    public async Task<int> CheckpointsAsync(int connections, TimeSpan duration, int runs, int stateBytes, TextWriter output)
    {
        await EachAsync(connections, connections, (connection, number) => load.CreateAsync(connection, number));
        int[] steps = new int[connections];
        var rates = new List<double>();
        var milliseconds = new ConcurrentBag<double>();
        for (int run = 0; run <= runs; run++)
        {
            if (run == 1)
                milliseconds.Clear();
            int before = steps.Sum();
            long began = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, connections).Select(number => Task.Run(async () =>
            {
                await using HttpConnection connection = load.Connect();
                while (Stopwatch.GetElapsedTime(began) < duration)
                {
                    long sent = Stopwatch.GetTimestamp();
                    await load.CheckpointAsync(connection, number, steps[number], State(stateBytes, steps[number]));
                    steps[number]++;
                    milliseconds.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
                }
            })));
            if (run > 0)
                rates.Add((steps.Sum() - before) / Stopwatch.GetElapsedTime(began).TotalSeconds);
        }
        rates.Sort();
        output.WriteLine(
            $"checkpoints over HTTP, {connections} connections, {stateBytes} B: median {rates[rates.Count / 2]:0} per s (min {rates[0]:0}, max {rates[^1]:0}), {Percentiles(milliseconds)}");
        return 0;
    }

    public async Task<int> LoadAsync(int steps, int stateBytes, TextWriter output)
    {
        await using HttpConnection connection = load.Connect();
        await load.CreateAsync(connection, 0);
        for (int step = 0; step < steps; step++)
            await load.CheckpointAsync(connection, 0, step, State(stateBytes, step));
        var milliseconds = new List<double>();
        for (int i = 0; i < 200; i++)
        {
            long sent = Stopwatch.GetTimestamp();
            await load.LatestAsync(connection, 0);
            milliseconds.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
        }
        output.WriteLine($"latest state of a run of {steps} checkpoints of {stateBytes} B: first {milliseconds[0]:0.00} ms, {Percentiles(milliseconds)}");
        output.WriteLine($"from cold: restart the server, then time the first GET of /v1/namespaces/bench/executions/{load.Id(0)}/checkpoints/latest");
        return 0;
    }

    public async Task<int> QueryAsync(int executions, int connections, TextWriter output)
    {
        long began = Stopwatch.GetTimestamp();
        await EachAsync(executions, connections, (connection, number) => load.CreateAsync(connection, number));
        output.WriteLine($"{executions} executions created in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        await using HttpConnection connection = load.Connect();
        string since = Uri.EscapeDataString(TimeProvider.System.GetUtcNow().AddHours(-1).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));
        foreach (string parameters in new[]
        {
            "status=pending&order_by=updated&limit=100",
            $"status=pending&status=running&started_from={since}&order_by=started&limit=100",
            $"status=pending&updated_from={since}&order=asc&limit=100",
            "label=number%3D7&limit=100",
        })
        {
            var milliseconds = new List<double>();
            int items = 0;
            for (int i = 0; i < 100; i++)
            {
                long sent = Stopwatch.GetTimestamp();
                items = await load.QueryAsync(connection, parameters);
                milliseconds.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }
            output.WriteLine($"first page of {executions}, {parameters}: {items} items, first {milliseconds[0]:0.0} ms, {Percentiles(milliseconds)}");
        }
        return 0;
    }

    public async Task<int> ClaimAsync(int executions, int workers, TextWriter output)
    {
        const int LeaseMs = 1_000;
        await EachAsync(executions, 32, (connection, number) => load.CreateAsync(connection, number));
        // Each was claimed once by a worker that is never heard of again.
        int lost = 0;
        await EachAsync(8, 8, async (connection, _) =>
        {
            while (lost < executions)
                Interlocked.Add(ref lost, (await load.ClaimAsync(connection, "lost", 50, LeaseMs)).Count);
        });
        await Task.Delay(LeaseMs * 3 / 2);
        var claimed = new ConcurrentBag<(string Id, long Token)>();
        long began = Stopwatch.GetTimestamp();
        await EachAsync(workers, workers, async (connection, worker) =>
        {
            while (claimed.Count < executions && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60))
            {
                foreach ((string Id, long Token) each in await load.ClaimAsync(connection, $"worker-{worker}", 10, leaseMs: 60_000))
                    claimed.Add(each);
            }
        });
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        int distinct = claimed.Select(each => each.Id).Distinct().Count();
        output.WriteLine($"{executions} orphaned executions, {workers} workers: {claimed.Count} claimed, {distinct} different, in {seconds:0.00} s");
        return claimed.Count == executions && distinct == executions ? 0 : 1;
    }

    /// <summary>On a server of its own, which is stopped to be measured.</summary>
    public static async Task<int> BytesAsync(int stateBytes, int steps, int changedBytes, TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("statehouse-bench-").FullName;
        var place = new JournalPlace(JournalKind.Sqlite, folder, null, null);
        try
        {
            byte[] state = LargeState(stateBytes);
            long before = await RunAsync(place, async (load, connection) =>
            {
                await load.CreateAsync(connection, 0);
                await load.CheckpointAsync(connection, 0, 0, state);
            });
            var random = new Random(7);
            long after = await RunAsync(place, async (load, connection) =>
            {
                for (int step = 1; step <= steps; step++)
                {
                    int at = random.Next(100, state.Length - changedBytes - 100);
                    for (int i = at; i < at + changedBytes; i++)
                        state[i] = state[i] is >= (byte)'a' and <= (byte)'z' ? (byte)random.Next('a', 'z' + 1) : state[i];
                    await load.CheckpointAsync(connection, 0, step, state);
                }
            });
            output.WriteLine(
                $"state of {stateBytes} B, {changedBytes} B changed in one place per step, {steps} steps: files grew by {after - before} B, {(after - before) / (double)steps:0} B per step");
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <returns>Bytes of the server's files when it has stopped.</returns>
    private static async Task<long> RunAsync(JournalPlace place, Func<ExecutionLoad, HttpConnection, Task> act)
    {
        await using (StatehouseServer server = await StatehouseServer.StartAsync(place))
        {
            await using (HttpConnection connection = new(server.Http))
                await act(new ExecutionLoad(server.Http, "bytes"), connection);
            await server.StopAsync();
        }
        return await place.DiskBytesAsync();
    }

    private async Task EachAsync(int count, int connections, Func<HttpConnection, int, Task> act)
    {
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            await using HttpConnection connection = load.Connect();
            for (int number; (number = Interlocked.Increment(ref next)) < count;)
                await act(connection, number);
        })));
    }

    private static byte[] State(int bytes, int step)
    {
        string head = string.Create(CultureInfo.InvariantCulture, $"{{\"step\":{step},\"notes\":\"");
        return Encoding.ASCII.GetBytes(head + new string((char)('a' + step % 26), Math.Max(0, bytes - head.Length - 2)) + "\"}");
    }

    private static byte[] LargeState(int bytes)
    {
        var random = new Random(1);
        var text = new StringBuilder("{\"items\":[", bytes + 64);
        while (text.Length < bytes - 70)
            text.Append('"').Append(string.Concat(Enumerable.Range(0, 60).Select(_ => (char)random.Next('a', 'z' + 1)))).Append("\",");
        return Encoding.ASCII.GetBytes(text.Append("\"end\"]}").ToString());
    }

    private static string Percentiles(IEnumerable<double> milliseconds)
    {
        double[] sorted = [.. milliseconds.Order()];
        return $"p50 {sorted[sorted.Length / 2]:0.00} ms, p99 {sorted[sorted.Length * 99 / 100]:0.00} ms";
    }
}

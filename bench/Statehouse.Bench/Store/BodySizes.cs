using System.Diagnostics;
using System.Text;
using Statehouse.Journal;

namespace Statehouse.Bench.Store;

/// <summary>What a commit's body takes on SQLite's disk, and what writing it costs.</summary>
internal static class BodySizes
{
    private const int BatchSize = 100;

    public static async Task ReportAsync(BenchStore store, int agents, TextWriter output)
    {
        (string, Func<int, byte[]>)[] kinds =
        [
            ("500 bytes of JSON", i => State(i, 500)),
            ("2 KB of JSON", i => State(i, 2_000)),
            ("16 KB of JSON", i => State(i, 16_000)),
            ("2 KB of base64 of random bytes", i => Noise(i, 2_000)),
            ("16 KB of base64 of random bytes", i => Noise(i, 16_000)),
        ];
        foreach ((string name, Func<int, byte[]> bodyOf) in kinds)
            await MeasureAsync(name, bodyOf, agents, output);
    }

    /// <summary>A state as an agent keeps it: messages with a few repeating member names, and text that differs.</summary>
    public static byte[] State(int seed, int bytes)
    {
        var random = new Random(seed);
        var text = new StringBuilder("""{"operations":[{"op":"put","key":"state","value":{"messages":[""");
        for (int n = 0; text.Length < bytes - 60; n++)
            text.Append(n == 0 ? "" : ",").Append($$"""{"role":"{{(n % 2 == 0 ? "user" : "assistant")}}","id":"{{random.NextInt64():x}}","content":"{{Words(random)}}","tokens":{{random.Next(2000)}}}""");
        return Encoding.UTF8.GetBytes(text.Append("""]},"version":1}]}""").ToString());
    }

    private static readonly string[] Vocabulary =
        "the a order customer asked for refund and was told to wait until payment arrived at our bank please check status again tomorrow item number with address changed since last week thank you sorry yes no maybe invoice total".Split(' ');

    private static string Words(Random random) =>
        string.Join(' ', Enumerable.Range(0, random.Next(5, 20)).Select(_ => Vocabulary[random.Next(Vocabulary.Length)]));

    private static byte[] Noise(int seed, int bytes)
    {
        byte[] noise = new byte[bytes * 3 / 4];
        new Random(seed).NextBytes(noise);
        return Encoding.UTF8.GetBytes($$"""{"operations":[{"op":"put","key":"state","value":"{{Convert.ToBase64String(noise)}}","version":1}]}""");
    }

    private static async Task MeasureAsync(string name, Func<int, byte[]> bodyOf, int agents, TextWriter output)
    {
        // A database of its own, so that its file's length says what these bodies take.
        await using BenchStore store = await BenchStore.OpenAsync("sqlite", null);
        byte[][] bodies = [.. Enumerable.Range(0, agents).Select(bodyOf)];
        AppendRun[] runs = [.. bodies.Select((body, i) => IndexQueries.Agent(i).Next([body]))];
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        long started = Stopwatch.GetTimestamp();
        await store.WriteAsync(runs, BatchSize);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double cpuMicroseconds = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMicroseconds / agents;
        started = Stopwatch.GetTimestamp();
        foreach (AppendRun run in runs)
        {
            await foreach (JournalCommit commit in store.Store.ReadForwardAsync(run.Handle, new AgentVersion(1), new AgentVersion(1), default))
                Debug.Assert(commit.Body.Length > 0);
        }
        double readMicroseconds = Stopwatch.GetElapsedTime(started).TotalMicroseconds / agents;
        long file = await store.CloseAndMeasureAsync();
        await output.WriteLineAsync(
            $"{name,-34} {bodies.Sum(body => (long)body.Length) / (double)agents,8:n0} bytes a body, {file / (double)agents,8:n0} in the file, " +
            $"{agents / seconds,8:n0} commits/s, {cpuMicroseconds,6:n0} µs CPU each, {readMicroseconds,6:n0} µs to read one");
    }
}

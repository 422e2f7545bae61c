using System.Diagnostics;
using Statehouse.Agents.Hosting;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;

namespace Statehouse.Bench.Figures;

/// <summary>Writes what a figure needs to find, through agents in this process: that is the fastest way that makes real journals.</summary>
internal static class Preparation
{
    /// <summary>Keys that <see cref="KeysAsync"/> writes in one commit.</summary>
    public const int KeysPerCommit = 500;

    private const int InFlight = 256;

    /// <summary>Little of it in memory: a million agents need not be.</summary>
    private static readonly LocalAgentsOptions s_small = new() { ResidentBytesMax = 64 << 20, SweepEvery = TimeSpan.FromSeconds(1) };

    /// <summary>Gives agents from..to-1 one commit each.</summary>
    public static Task AgentsAsync(BenchHost host, JournalPlace place, int from, int to)
    {
        ReadOnlyMemory<byte>[] values = Values.Make(200, host.Options.Seed);
        return WriteAsync(host, place, $"{to - from:n0} agents", to - from, i => new Request(RequestKind.Put, from + i, 0, values[i % values.Length]));
    }

    /// <summary>Gives one agent so many commits, over so many keys in turn.</summary>
    public static Task CommitsAsync(BenchHost host, JournalPlace place, int agent, int commits, int keys, int valueBytes)
    {
        ReadOnlyMemory<byte>[] values = Values.Make(valueBytes, host.Options.Seed);
        return WriteAsync(host, place, $"{commits:n0} commits on one agent", commits, i => new Request(RequestKind.Put, agent, i % keys, values[i % values.Length]));
    }

    /// <summary>Gives one agent keys from..to-1, many in a commit.</summary>
    public static Task KeysAsync(BenchHost host, JournalPlace place, int agent, int from, int to)
    {
        ReadOnlyMemory<byte>[] values = Values.Make(200, host.Options.Seed);
        int commits = (to - from + KeysPerCommit - 1) / KeysPerCommit;
        return WriteAsync(host, place, $"{to - from:n0} keys", commits, i => new Request(
            RequestKind.PutMany, agent, from + i * KeysPerCommit, values[i % values.Length], Math.Min(KeysPerCommit, to - from - i * KeysPerCommit)));
    }

    private static async Task WriteAsync(BenchHost host, JournalPlace place, string what, int count, Func<int, Request> request)
    {
        long began = Stopwatch.GetTimestamp();
        await using OpenedAgents opened = await OpenedAgents.OpenAsync(place, s_small);
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(_ => Task.Run(async () =>
        {
            var session = new InProcessSession(opened.Agents);
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
                await session.AskAsync(request(i), CancellationToken.None);
        })));
        if (!host.Options.IsQuick)
            host.Results.Say($"{"",-12} ({place.Name}: {what} prepared in {Stopwatch.GetElapsedTime(began).TotalSeconds:n0} s)");
    }
}

using System.Diagnostics;
using Statehouse.Journal;

namespace Statehouse.Bench.Store;

/// <summary>What an index row adds to an append: the same agents written with and without, turn by turn.</summary>
internal static class IndexedAppends
{
    private const int BatchSize = 200;
    private const int Rounds = 6;

    private static readonly byte[] Body = """{"operations":[{"op":"put","key":"status","value":"a state of about one hundred and fifty bytes, as small agents have them ........","version":1}]}"""u8.ToArray();

    public static async Task ReportAsync(BenchStore store, int agents, TextWriter output)
    {
        GrowingAgent[] plain = [.. Enumerable.Range(0, agents).Select(i => new GrowingAgent(new AgentId("bench", $"agent-{i:d7}")))];
        GrowingAgent[] indexed = [.. Enumerable.Range(0, agents).Select(IndexQueries.Agent)];
        for (int round = 0; round < Rounds; round++)
        {
            double without = await MeasureAsync(store, plain, i => plain[i].Next([Body], timeOffset: Offset(round, i)));
            double with = await MeasureAsync(store, indexed, i => indexed[i].Next([Body], IndexQueries.Row(i, round), Offset(round, i)));
            string what = round == 0 ? "creating" : "going on";
            await output.WriteLineAsync($"{store.Store.Name} round {round} ({what}): {without:n0} commits/s without index rows, {with:n0} with");
        }
    }

    private static long Offset(int round, int i) => (round * 1_000_000L + i) * 1000L;

    private static async Task<double> MeasureAsync(BenchStore store, GrowingAgent[] agents, Func<int, AppendRun> next)
    {
        long started = Stopwatch.GetTimestamp();
        await store.WriteAsync(Enumerable.Range(0, agents.Length).Select(next), BatchSize);
        return agents.Length / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}

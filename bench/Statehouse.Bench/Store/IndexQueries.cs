using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using Statehouse.Journal;

namespace Statehouse.Bench.Store;

/// <summary>Executions as a service has them: most are over, some wait, some run; and the questions that are asked of them.</summary>
internal static class IndexQueries
{
    private const int Runs = 50;

    private static readonly byte[] Body = """{"operations":[{"op":"put","key":"status","value":"x","version":1}]}"""u8.ToArray();

    public static async Task ReportAsync(BenchStore store, int agents, TextWriter output)
    {
        long started = Stopwatch.GetTimestamp();
        await store.WriteAsync(Enumerable.Range(0, agents).Select(i => Agent(i).Next([Body], Row(i), timeOffset: i * 1000L)), batch: 500);
        await output.WriteLineAsync($"{store.Store.Name}: {agents:n0} agents with an index row each, written in {Stopwatch.GetElapsedTime(started).TotalSeconds:f1} s");
        await output.WriteLineAsync($"{"query, first page of 100",-58} {"rows",6} {"median",8} {"slowest",8}");
        var all = new IndexQuery(AgentKind.Execution, "bench", 100) { Order = IndexOrder.Updated, Descending = true };
        var due = new CommitTime(1_767_225_600_000_000 + agents * 1000L);
        (string, IndexQuery)[] queries =
        [
            ("updated, newest first", all),
            ("updated, newest first, from the middle on", all with { After = new IndexCursor(new CommitTime(1_767_225_600_000_000 + agents * 500L), "m") }),
            ("updated, one common status", all with { Statuses = [3] }),
            ("updated, one rare status", all with { Statuses = [2] }),
            ("started, oldest first", all with { Order = IndexOrder.Started, Descending = false }),
            ("started, newest first, two statuses", all with { Order = IndexOrder.Started, Statuses = [0, 1] }),
            ("due for a claim of 10: two statuses, by due time", Claim(due)),
            ("due for a claim of 10, one group of ten", Claim(due) with { Group = "workflow-3" }),
            ("due for a claim of 10, one rare group", Claim(due) with { Group = "rare" }),
            ("updated, one group of ten", all with { Group = "workflow-3" }),
            ("updated, one rare group", all with { Group = "rare" }),
            ("updated, a label of one in ten", all with { Labels = ["team=t3"] }),
            ("updated, a label of one agent", all with { Labels = [$"customer={agents / 2}"] }),
            ("updated, a label of nobody", all with { Labels = ["team=nobody"] }),
            ("updated, two labels and a group", all with { Labels = ["region=eu", "team=t3"], Group = "workflow-3" }),
            ("updated in one second of all, oldest first", all with
            {
                Descending = false,
                UpdatedFrom = new CommitTime(1_767_225_600_000_000 + agents * 300L),
                UpdatedTo = new CommitTime(1_767_225_600_000_000 + agents * 300L + 1_000_000),
            }),
        ];
        foreach ((string name, IndexQuery query) in queries)
            await MeasureAsync(name, async () => (await store.Index.QueryAsync(query, default)).Count, output);
        await MeasureAsync("count by status", async () => (await store.Index.CountByStatusAsync(AgentKind.Execution, "bench", default)).Count, output);
    }

    public static GrowingAgent Agent(int i) => new(new AgentId(AgentKind.Execution, "bench", $"run-{i:d7}"));

    /// <param name="i">Which agent: its group, labels and start.</param>
    /// <param name="change">How often it has moved on: its status with that.</param>
    public static IndexRow Row(int i, int change = 0)
    {
        byte status = ((i + change) % 100) switch { < 5 => 0, < 10 => 1, < 11 => 2, < 91 => 3, < 99 => 4, _ => 5 };
        ImmutableArray<string> labels = [$"customer={i}", $"region={(i % 3 == 0 ? "eu" : "us")}", $"team=t{i / 7 % 10}"];
        var moment = new CommitTime(1_767_225_600_000_000 + i * 1000L);
        return new IndexRow(
            status, i % 10_000 == 77 ? "rare" : $"workflow-{i / 3 % 10}", labels, moment, status < 2 ? moment : null,
            Encoding.UTF8.GetBytes($$"""{"step":{{i % 40}},"checkpoints":{{i % 40}},"state_bytes":1043,"attempt":1,"lease":null}"""));
    }

    private static IndexQuery Claim(CommitTime due) => new(AgentKind.Execution, "bench", 10)
    {
        Statuses = [0, 1],
        DueAtMost = due,
        Order = IndexOrder.Due,
    };

    private static async Task MeasureAsync(string name, Func<Task<int>> query, TextWriter output)
    {
        int rows = await query();
        var times = new double[Runs];
        for (int i = 0; i < Runs; i++)
        {
            long started = Stopwatch.GetTimestamp();
            await query();
            times[i] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }
        Array.Sort(times);
        await output.WriteLineAsync($"{name,-58} {rows,6} {times[Runs / 2],8:f2} {times[^1],8:f2}");
    }
}

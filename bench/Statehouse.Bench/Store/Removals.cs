using System.Diagnostics;

namespace Statehouse.Bench.Store;

/// <summary>Old agents go: one transaction each, then one transaction for up to 1,000.</summary>
internal static class Removals
{
    private const int CommitsPerAgent = 20;
    private const int AgentsPerCall = 1000;

    public static async Task ReportAsync(BenchStore store, int agents, TextWriter output)
    {
        byte[][] bodies = [.. Enumerable.Range(0, CommitsPerAgent).Select(i => BodySizes.State(i, 400))];
        GrowingAgent[] all = [.. Enumerable.Range(0, agents).Select(IndexQueries.Agent)];
        await store.WriteAsync(all.Select((agent, i) => agent.Next(bodies, IndexQueries.Row(i), i * 1000L)), batch: 50);

        GrowingAgent[] oneByOne = all[..(agents / 5)];
        double single = await MeasureAsync(oneByOne.Length, async () =>
        {
            foreach (GrowingAgent agent in oneByOne)
                Require(await store.Retention.DeleteAgentAsync(agent.Handle, agent.Version, agent.Hash, default));
        });
        GrowingAgent[] rest = all[oneByOne.Length..];
        double together = await MeasureAsync(rest.Length, async () =>
        {
            foreach (GrowingAgent[] chunk in rest.Chunk(AgentsPerCall))
                Require((await store.Retention.DeleteAgentsAsync(Array.ConvertAll(chunk, agent => agent.End), default)).All(removed => removed));
        });
        await output.WriteLineAsync(
            $"{store.Store.Name}: agents of {CommitsPerAgent} commits removed: {single:n0}/s one by one, {together:n0}/s in calls of {AgentsPerCall:n0}");
    }

    private static async Task<double> MeasureAsync(int agents, Func<Task> remove)
    {
        long started = Stopwatch.GetTimestamp();
        await remove();
        return agents / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static void Require(bool removed)
    {
        if (!removed)
            throw new InvalidOperationException("An agent was not removed, although nobody else writes.");
    }
}

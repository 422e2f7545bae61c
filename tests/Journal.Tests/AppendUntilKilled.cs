using Statehouse.Journal.Sqlite;

namespace Statehouse.Journal.Tests;

/// <summary>
/// The child process of the crash tests: appends to a data directory for ever and prints each acknowledgement after it
/// came. Each line is <c>ack</c> and the agent's version for agents 0, 1, 2, …, of which the first two only ever commit together.
/// </summary>
internal static class AppendUntilKilled
{
    public const string Command = "append-until-killed";

    public const int AgentCount = 6;

    public static AgentId Agent(int i) => new("crash", $"agent-{i}");

    public static async Task<int> RunAsync(string dataDirectory)
    {
        // Small, so that the crash also falls into moving the write-ahead file over.
        var options = new SqliteJournalOptions { DataDirectory = dataDirectory, CheckpointPages = 100 };
        await using SqliteJournalStore store = await SqliteJournalStore.OpenAsync(options, SilentOperatorLog.Instance, CancellationToken.None);
        Commits[] agents = [.. Enumerable.Range(0, AgentCount).Select(i => new Commits(Agent(i)))];
        foreach (Commits agent in agents)
            await ResumeAsync(store, agent);
        while (true)
        {
            await AppendAsync(store, agents);
            Console.WriteLine($"ack {string.Join(' ', agents.Select(a => a.Version))}");
        }
    }

    private static async Task ResumeAsync(SqliteJournalStore store, Commits agent)
    {
        await foreach (JournalCommit commit in store.ReadForwardAsync(
            agent.Handle, new AgentVersion(1), new AgentVersion(long.MaxValue), CancellationToken.None))
            agent.Resume(commit);
    }

    private static async Task AppendAsync(SqliteJournalStore store, Commits[] agents)
    {
        var txnId = Guid.NewGuid();
        var together = new AppendUnit([agents[0].Next(txnId), agents[1].Next(txnId)]);
        AppendUnit[] batch = [together, .. agents.Skip(2).Select((agent, i) => agent.NextUnit(1 + i))];
        await store.WriteAsync(batch, CancellationToken.None);
        foreach (AppendRun run in batch.SelectMany(unit => unit.Runs))
            agents.Single(a => a.Agent == run.Handle.Agent).Acknowledge(run);
        if (batch.Any(unit => unit.Outcome != AppendOutcome.Appended))
            throw new InvalidOperationException("An append conflicted although nobody else writes.");
    }
}

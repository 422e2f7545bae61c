using System.Globalization;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Journal.Tests;

/// <summary>
/// The child process of the crash tests: appends to a data directory and prints each acknowledgement after it came.
/// Each line is <c>ack</c> and the agents' versions, of which the first two only ever commit together; or <c>fault</c>
/// and a code, after which it reads where the journal stands and goes on, as an agent's owner would.
/// </summary>
internal static class AppendUntilKilled
{
    public const string Command = "append-until-killed";

    public const int AgentCount = 6;

    private const int FaultsMax = 20;

    public static AgentId Agent(int i) => new("crash", $"agent-{i}");

    /// <param name="dataDirectory">Of the journal.</param>
    /// <param name="acknowledgements">Ends by itself after so many.</param>
    public static async Task<int> RunAsync(string dataDirectory, string acknowledgements)
    {
        // Small, so that the crash also falls into moving the write-ahead file over.
        var options = new SqliteJournalOptions { DataDirectory = dataDirectory, CheckpointPages = 100 };
        await using SqliteJournalStore store = await SqliteJournalStore.OpenAsync(options, SilentOperatorLog.Instance, CancellationToken.None);
        Commits[] agents = await LoadAsync(store);
        long left = long.Parse(acknowledgements, CultureInfo.InvariantCulture);
        for (int faults = 0; left > 0 && faults < FaultsMax;)
        {
            try
            {
                agents = agents.Length > 0 ? agents : await LoadAsync(store);
                await AppendAsync(store, agents);
                Console.WriteLine($"ack {string.Join(' ', agents.Select(a => a.Version))}");
                left--;
            }
            catch (StatehouseException fault)
            {
                Console.WriteLine($"fault {fault.Code}");
                faults++;
                agents = [];
                await PingAsync(store);
            }
        }
        return left == 0 ? 0 : 1;
    }

    private static async Task PingAsync(SqliteJournalStore store)
    {
        try
        {
            await store.PingAsync(CancellationToken.None);
        }
        catch (JournalUnavailableException unavailable)
        {
            Console.WriteLine($"fault {unavailable.Code}");
        }
    }

    private static async Task<Commits[]> LoadAsync(SqliteJournalStore store)
    {
        Commits[] agents = [.. Enumerable.Range(0, AgentCount).Select(i => new Commits(Agent(i)))];
        foreach (Commits agent in agents)
        {
            await foreach (JournalCommit commit in store.ReadForwardAsync(
                agent.Handle, new AgentVersion(1), new AgentVersion(long.MaxValue), CancellationToken.None))
                agent.Resume(commit);
        }
        return agents;
    }

    private static async Task AppendAsync(SqliteJournalStore store, Commits[] agents)
    {
        var txnId = Guid.NewGuid();
        var together = new AppendUnit([agents[0].Next(txnId), agents[1].Next(txnId)]);
        AppendUnit[] batch = [.. agents.Skip(2).Select((agent, i) => agent.NextUnit(1 + i)).Prepend(together).Select(Commits.Indexed)];
        await store.WriteAsync(batch, CancellationToken.None);
        if (batch.Any(unit => unit.Outcome != AppendOutcome.Appended))
            throw new InvalidOperationException("An append conflicted although nobody else writes.");
        foreach (AppendRun run in batch.SelectMany(unit => unit.Runs))
            agents.Single(a => a.Agent == run.Handle.Agent).Acknowledge(run);
    }
}

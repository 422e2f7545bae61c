using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;
using Statehouse.Journal.GroupCommit;
using Statehouse.Journal.Postgres;
using Statehouse.Journal.Sqlite;

namespace Statehouse.Bench.InProcess;

/// <summary>Agents in this process over a store of the caller's choice.</summary>
internal static class SingleProcess
{
    /// <param name="journalName">sqlite or postgres.</param>
    /// <param name="postgres">Connection string for the latter.</param>
    /// <param name="options">The load.</param>
    /// <param name="output">Gets the figures.</param>
    public static async Task<int> RunAsync(string journalName, string? postgres, CommitLoadOptions options, TextWriter output)
    {
        DirectoryInfo data = Directory.CreateTempSubdirectory("statehouse-bench-");
        try
        {
            IJournalStore store = journalName == "postgres"
                ? await PostgresJournalStore.OpenAsync(new PostgresJournalOptions { ConnectionString = postgres! }, SilentOperatorLog.Instance, default)
                : await SqliteJournalStore.OpenAsync(new SqliteJournalOptions { DataDirectory = data.FullName }, SilentOperatorLog.Instance, default);
            await using var journal = new GroupCommitJournal(store, new GroupCommitOptions(), SilentOperatorLog.Instance);
            await using var agents = new LocalAgents(journal, new LocalAgentsOptions(), Limits.Default, TimeProvider.System, SilentOperatorLog.Instance);
            await CommitLoad.ReportAsync(journalName, agents, options, output);
        }
        finally
        {
            data.Delete(recursive: true);
        }
        return 0;
    }
}

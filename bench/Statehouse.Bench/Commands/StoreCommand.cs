using System.CommandLine;
using Statehouse.Bench.Store;

namespace Statehouse.Bench.Commands;

/// <summary><c>store</c>: what a journal store alone takes, beneath group commit and agents.</summary>
internal static class StoreCommand
{
    private static readonly Option<string> s_journal = new("--journal") { Description = "sqlite or postgres", DefaultValueFactory = _ => "sqlite", Recursive = true };
    private static readonly Option<string?> s_postgres = new("--postgres") { Description = "connection string; the database is written to", Recursive = true };
    private static readonly Option<int> s_agents = new("--agents") { Description = "agents", DefaultValueFactory = _ => 100_000, Recursive = true };

    public static Command Build() => new("store", "Measures a journal store by itself.")
    {
        s_journal,
        s_postgres,
        s_agents,
        One("queries", "Index queries over so many agents: median and slowest of 50 runs each, in milliseconds.", IndexQueries.ReportAsync),
        One("appends", "Appends without and with index rows, in turn: commits per second.", IndexedAppends.ReportAsync),
        One("removals", "Removes agents of 20 commits one by one, then in calls of 1,000: agents per second.", Removals.ReportAsync),
        One("bodies", "SQLite only: bytes of bodies as written and in the file, and commits per second, by kind of body.", BodySizes.ReportAsync),
    };

    private static Command One(string name, string description, Func<BenchStore, int, TextWriter, Task> report)
    {
        var command = new Command(name, description);
        command.SetAction(async parsed =>
        {
            await using BenchStore store = await BenchStore.OpenAsync(parsed.GetValue(s_journal)!, parsed.GetValue(s_postgres));
            await report(store, parsed.GetValue(s_agents), Console.Out);
        });
        return command;
    }
}

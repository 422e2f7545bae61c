using System.CommandLine;
using Statehouse.Bench.Store;

// What a journal store alone takes, beneath group commit and agents: index queries, index rows, removals, sizes.
var journal = new Option<string>("--journal") { Description = "sqlite or postgres", DefaultValueFactory = _ => "sqlite", Recursive = true };
var postgres = new Option<string?>("--postgres") { Description = "connection string; the database is written to", Recursive = true };
var agents = new Option<int>("--agents") { Description = "agents", DefaultValueFactory = _ => 100_000, Recursive = true };

var root = new RootCommand("Measures a journal store by itself.") { journal, postgres, agents };
Add("queries", "Index queries over so many agents: median and slowest of 50 runs each, in milliseconds.", IndexQueries.ReportAsync);
Add("appends", "Appends without and with index rows, in turn: commits per second.", IndexedAppends.ReportAsync);
Add("removals", "Removes agents of 20 commits one by one, then in calls of 1,000: agents per second.", Removals.ReportAsync);
Add("bodies", "SQLite only: bytes of bodies as written and in the file, and commits per second, by kind of body.", BodySizes.ReportAsync);
return await root.Parse(args).InvokeAsync();

void Add(string name, string description, Func<BenchStore, int, TextWriter, Task> report)
{
    var command = new Command(name, description);
    command.SetAction(async parsed =>
    {
        await using BenchStore store = await BenchStore.OpenAsync(parsed.GetValue(journal)!, parsed.GetValue(postgres));
        await report(store, parsed.GetValue(agents), Console.Out);
    });
    root.Add(command);
}

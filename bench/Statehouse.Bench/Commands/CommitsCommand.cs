using System.CommandLine;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;

namespace Statehouse.Bench.Commands;

/// <summary>What one closed loop of one-key commits is asked for.</summary>
internal sealed record CommitLoadOptions(int Agents, int InFlight, double Seconds, int Runs, int ValueBytes);

/// <summary><c>commits</c>: one case of commits in process, on a database of the caller's choice.</summary>
internal sealed class CommitsCommand
{
    private readonly Option<int> _agents = new("--agents") { Description = "agents written, in turn", DefaultValueFactory = _ => 10_000 };
    private readonly Option<int> _inFlight = new("--in-flight") { Description = "commits waiting at once", DefaultValueFactory = _ => 256 };
    private readonly Option<double> _seconds = new("--seconds") { Description = "measured time of one run", DefaultValueFactory = _ => 5 };
    private readonly Option<int> _runs = new("--runs") { Description = "measured runs, after one warm-up", DefaultValueFactory = _ => 3 };
    private readonly Option<int> _valueBytes = new("--value-bytes") { Description = "bytes of each value", DefaultValueFactory = _ => 200 };

    public static Command Build()
    {
        var options = new CommitsCommand();
        var journal = new Option<string>("--journal") { Description = "sqlite or postgres", DefaultValueFactory = _ => "sqlite" };
        journal.AcceptOnlyFromAmong("sqlite", "postgres");
        var postgres = new Option<string?>("--postgres") { Description = "connection string; the database is written to" };
        var command = new Command("commits", "Durable one-key commits in process, on a database of your choice.") { journal, postgres };
        options.AddTo(command);
        command.SetAction(async parsed =>
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("statehouse-bench-");
            try
            {
                JournalKind kind = parsed.GetValue(journal) == "postgres" ? JournalKind.Postgres : JournalKind.Sqlite;
                await using OpenedAgents opened = await OpenedAgents.OpenAsync(new JournalPlace(kind, folder.FullName, parsed.GetValue(postgres), null));
                await ReportAsync(opened.Store.Name, () => new InProcessSession(opened.Agents), options.Of(parsed), Console.Out);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        });
        return command;
    }

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_agents, _inFlight, _seconds, _runs, _valueBytes])
            command.Add(option);
    }

    public CommitLoadOptions Of(ParseResult parsed) => new(
        parsed.GetValue(_agents), parsed.GetValue(_inFlight), parsed.GetValue(_seconds), parsed.GetValue(_runs), parsed.GetValue(_valueBytes));

    /// <summary>Warms up, runs and prints one line, wherever the agents live.</summary>
    public static async Task ReportAsync(string name, Func<ISession> connect, CommitLoadOptions options, TextWriter output)
    {
        ISession[] sessions = [.. Enumerable.Range(0, options.InFlight).Select(_ => connect())];
        var puts = new Puts(options.Agents, options.ValueBytes, Seed: 1);
        var all = new LoadOutcome();
        var rates = new List<double>();
        var self = new WatchedProcess(Environment.ProcessId);
        double cpu = 0;
        long next = 0;
        for (int run = 0; run <= options.Runs; run++)
        {
            if (run == 1)
                cpu = ProcessWatch.CpuSeconds(self);
            var load = new LoadRun(sessions, puts, next);
            LoadOutcome outcome = await load.ClosedAsync(TimeSpan.FromSeconds(options.Seconds));
            if (outcome.FirstError is { } error)
                throw new BenchFailure($"{outcome.Errors} commits failed. The first: {error.Message}", error);
            next = load.NextNumber;
            if (run == 0)
                continue;
            rates.Add(outcome.Commits / outcome.Elapsed.TotalSeconds);
            all.Merge(outcome);
        }
        cpu = ProcessWatch.CpuSeconds(self) - cpu;
        new Results(output, null).Add(
            CaseResult.Of(name, $"{options.InFlight} in flight, {puts.Name}", "commits/s", rates, all.Latencies), null,
            $"{Results.Number(cpu * 1000 / all.Commits)} CPU s of this process per 1,000 commits");
    }
}

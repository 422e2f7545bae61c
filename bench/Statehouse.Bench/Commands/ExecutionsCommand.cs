using System.CommandLine;
using System.Net;
using Statehouse.Bench.Executions;

namespace Statehouse.Bench.Commands;

/// <summary><c>executions</c>: workflow runs on a running server or gateway.</summary>
internal static class ExecutionsCommand
{
    private static readonly Option<string> s_server = new("--server") { Description = "HTTP address of a server or gateway, ADDR:PORT", DefaultValueFactory = _ => "127.0.0.1:8080" };
    private static readonly Option<int> s_connections = new("--connections") { Description = "each sends one request at a time", DefaultValueFactory = _ => 64 };
    private static readonly Option<int> s_stateBytes = new("--state-bytes") { Description = "bytes of each state", DefaultValueFactory = _ => 1024 };

    public static Command Build() => new("executions", "Measures executions.") { Checkpoints(), Load(), Query(), Claim(), Bytes() };

    private static Command Checkpoints()
    {
        var seconds = new Option<double>("--seconds") { Description = "measured time of one run", DefaultValueFactory = _ => 10 };
        var runs = new Option<int>("--runs") { Description = "measured runs, after one warm-up", DefaultValueFactory = _ => 3 };
        var command = new Command("checkpoints", "Durable checkpoints over HTTP, each connection on a run of its own.") { s_server, s_connections, seconds, runs, s_stateBytes };
        command.SetAction(parsed => Of(parsed).CheckpointsAsync(
            parsed.GetValue(s_connections), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(runs), parsed.GetValue(s_stateBytes), Console.Out));
        return command;
    }

    private static Command Load()
    {
        var steps = new Option<int>("--steps") { Description = "checkpoints of one run", DefaultValueFactory = _ => 10_000 };
        var command = new Command("load", "Loads the latest state of one long run.") { s_server, steps, s_stateBytes };
        command.SetAction(parsed => Of(parsed).LoadAsync(parsed.GetValue(steps), parsed.GetValue(s_stateBytes), Console.Out));
        return command;
    }

    private static Command Query()
    {
        var executions = new Option<int>("--executions") { Description = "how many there are", DefaultValueFactory = _ => 100_000 };
        var command = new Command("query", "Creates executions and asks for first pages of them.") { s_server, executions, s_connections };
        command.SetAction(parsed => Of(parsed).QueryAsync(parsed.GetValue(executions), parsed.GetValue(s_connections), Console.Out));
        return command;
    }

    private static Command Claim()
    {
        var orphans = new Option<int>("--executions") { Description = "how many are orphaned", DefaultValueFactory = _ => 1_000 };
        var workers = new Option<int>("--workers") { Description = "claim at once", DefaultValueFactory = _ => 8 };
        var command = new Command("claim", "Orphans executions and lets workers claim them.") { s_server, orphans, workers };
        command.SetAction(parsed => Of(parsed).ClaimAsync(parsed.GetValue(orphans), parsed.GetValue(workers), Console.Out));
        return command;
    }

    private static Command Bytes()
    {
        var large = new Option<int>("--state-bytes") { Description = "bytes of the state", DefaultValueFactory = _ => 1_000_000 };
        var steps = new Option<int>("--steps") { Description = "checkpoints", DefaultValueFactory = _ => 500 };
        var changed = new Option<int>("--changed-bytes") { Description = "bytes that change per step", DefaultValueFactory = _ => 200 };
        var command = new Command("bytes", "Bytes on disk that one step of a large state costs, on a server of its own on SQLite.") { large, steps, changed };
        command.SetAction(parsed => Measures.BytesAsync(parsed.GetValue(large), parsed.GetValue(steps), parsed.GetValue(changed), Console.Out));
        return command;
    }

    private static Measures Of(ParseResult parsed) => new(new ExecutionLoad(IPEndPoint.Parse(parsed.GetValue(s_server)!)));
}

using System.CommandLine;
using System.Text;

namespace Statehouse.Cli;

/// <summary><c>executions …</c>: the runs of workflows. What they share stands here.</summary>
internal static class ExecutionCommands
{
    public static Command Build(CommonOptions common) => new("executions", "Look into and steer the runs of workflows")
    {
        ExecutionListCommand.Build(common),
        ExecutionGetCommand.Build(common),
        ExecutionHistoryCommand.Build(common),
        ExecutionChangeCommands.Pause(common),
        ExecutionChangeCommands.Resume(common),
        ExecutionChangeCommands.Cancel(common),
        ExecutionChangeCommands.Restore(common),
        ExecutionSnapshotCommands.Snapshot(common),
        ExecutionSnapshotCommands.Snapshots(common),
        ExecutionCleanupCommand.Build(common),
    };

    public static Argument<string> Execution() => new("EXECUTION") { Description = "Execution id" };

    /// <summary>An option that may stand several times.</summary>
    public static Option<string[]> Several(string name, string helpName, string description) => new(name)
    {
        Description = description,
        HelpName = helpName,
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = static _ => [],
    };

    public static Option<string?> Time(string name, string description) => new(name)
    {
        Description = $"{description}, RFC 3339: 2026-01-31T09:05:00Z",
        HelpName = "TIME",
    };

    /// <summary>What became of an execution, on one line; with --json, the whole answer.</summary>
    public static int Print(Session session, byte[] execution)
    {
        if (session.Json)
        {
            session.Terminal.Out.JsonLine(execution);
            return ExitCode.Ok;
        }
        string Word(string name) => JsonMember.Shown(execution, name) is { Length: > 0 } text ? text : "-";
        session.Terminal.Out.Line(
            $"execution={Printable.Word(JsonMember.FindString(execution, "execution_id") ?? "")}  status={Word("status")}  "
            + $"step={Word("step")}  attempt={Word("attempt")}  version={Word("version")}");
        return ExitCode.Ok;
    }

    public static byte[] Body(string member, string value) =>
        Encoding.UTF8.GetBytes($"{{\"{member}\":{System.Text.Json.JsonSerializer.Serialize(value, JsonString.Options)}}}");
}

using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Statehouse.Cli;

/// <summary><c>executions pause</c>, <c>resume</c>, <c>cancel</c> and <c>restore</c>: what an operator does to a run.</summary>
internal static class ExecutionChangeCommands
{
    public static Command Pause(CommonOptions common) =>
        Change(common, "pause", "Let nobody work on an execution until it is resumed; who works on it now is refused", takesReason: true);

    public static Command Resume(CommonOptions common) =>
        Change(common, "resume", "Go on with a paused or pending execution: a worker can claim it", takesReason: false);

    public static Command Cancel(CommonOptions common) =>
        Change(common, "cancel", "End an execution for good; who works on it now is refused", takesReason: true);

    public static Command Restore(CommonOptions common)
    {
        Argument<string> execution = ExecutionCommands.Execution();
        Option<long?> step = Parts.Number("--step", "The state of this step", 0);
        var snapshot = new Option<string?>("--snapshot") { Description = "The state of this snapshot", HelpName = "NAME" };
        var command = new Command("restore", "Make an earlier state the latest again; a worker can then claim the execution")
        {
            execution, step, snapshot,
        };
        Parts.AtMostOne(command, step, snapshot);
        command.Validators.Add(result =>
        {
            if (result.GetResult(step) is null && result.GetResult(snapshot) is null)
                result.AddError("restore needs --step or --snapshot.");
        });
        common.SetAction(command, (session, parsed) => PostAsync(
            session,
            parsed.GetRequiredValue(execution),
            "restore",
            parsed.GetValue(snapshot) is { } name
                ? ExecutionCommands.Body("snapshot", name)
                : Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"step\":{parsed.GetValue(step)}}}"))));
        return command;
    }

    private static Command Change(CommonOptions common, string verb, string description, bool takesReason)
    {
        Argument<string> execution = ExecutionCommands.Execution();
        var reason = new Option<string?>("--reason") { Description = "Kept in the journal", HelpName = "TEXT" };
        var command = new Command(verb, description) { execution };
        if (takesReason)
            command.Add(reason);
        common.SetAction(command, (session, parsed) => PostAsync(
            session,
            parsed.GetRequiredValue(execution),
            verb,
            takesReason && parsed.GetValue(reason) is { } text ? ExecutionCommands.Body("reason", text) : "{}"u8.ToArray()));
        return command;
    }

    private static async Task<int> PostAsync(Session session, string execution, string verb, byte[] body)
    {
        string path = $"{new ExecutionPath(session.Namespace, execution).Head}/{verb}";
        return ExecutionCommands.Print(session, await session.Api.SendAsync(HttpMethod.Post, path, body, [], session.Ending));
    }
}

using System.CommandLine;

namespace Statehouse.Cli;

/// <summary><c>executions get</c>: one execution as it stands, or a state of it.</summary>
internal static class ExecutionGetCommand
{
    private static readonly (string Title, string Member)[] Rows =
    [
        ("workflow", "workflow"), ("status", "status"), ("reason", "reason"), ("step", "step"), ("checkpoints", "checkpoints"), ("state bytes", "state_bytes"),
        ("created", "created_at"), ("started", "started_at"), ("updated", "updated_at"), ("finished", "finished_at"),
        ("error", "error"), ("result", "result"), ("lease", "lease"), ("settings", "settings"),
        ("version", "version"), ("commit_ts", "commit_ts"), ("hash", "hash"),
    ];

    public static Command Build(CommonOptions common)
    {
        Argument<string> execution = ExecutionCommands.Execution();
        var state = new Option<bool>("--state") { Description = "Print the latest state instead, as it was written" };
        Option<long?> step = Parts.Number("--step", "With --state: that of this step", 0);
        var pretty = new Option<bool>("--pretty") { Description = "With --state or --json: set out over lines" };
        var strong = new Option<bool>("--strong") { Description = "Ask the journal first where the execution stands" };
        var command = new Command("get", "Show an execution, or a state of it") { execution, state, step, pretty, strong };
        command.Validators.Add(result =>
        {
            if (result.GetResult(step) is { Implicit: false } && !result.GetValue(state))
                result.AddError("--step needs --state.");
        });
        Parts.AtMostOne(command, state, strong);
        common.SetAction(command, async (session, parsed) =>
        {
            var path = new ExecutionPath(session.Namespace, parsed.GetRequiredValue(execution));
            bool isState = parsed.GetValue(state);
            string place = isState
                ? AgentPath.WithQuery($"{path.Checkpoints}/{parsed.GetValue(step)?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "latest"}", ("raw", session.Json ? null : "true"))
                : AgentPath.WithQuery(path.Head, ("consistency", parsed.GetValue(strong) ? "strong" : null));
            byte[] answer = await session.Api.GetAsync(place, session.Ending);
            if (parsed.GetValue(pretty) && (isState || session.Json))
                JsonIndent.Write(session.Terminal.Out, answer);
            else if (session.Json)
                session.Terminal.Out.JsonLine(answer);
            else if (isState)
                session.Terminal.Out.JsonText(answer);
            else
                Describe(session, path, answer);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Describe(Session session, ExecutionPath path, byte[] execution)
    {
        OutputWriter output = session.Terminal.Out;
        Row(output, "namespace", Printable.OneLine(path.Namespace));
        Row(output, "execution", Printable.OneLine(path.Execution));
        foreach ((string title, string member) in Rows)
            Row(output, title, JsonMember.Shown(execution, member));
        Row(output, "attempt", $"{JsonMember.Shown(execution, "attempt")} of {JsonMember.Shown(execution, "max_attempts")}");
        Row(output, "labels", ExecutionListCommand.Labels(JsonMember.Find(execution, "labels")));
    }

    private static void Row(OutputWriter output, string name, string value)
    {
        if (value.Length > 0)
            output.Line($"{name,-12}{value}");
    }
}

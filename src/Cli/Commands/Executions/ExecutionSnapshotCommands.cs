using System.CommandLine;

namespace Statehouse.Cli;

/// <summary><c>executions snapshot</c> and <c>snapshots</c>: checkpoints with a name.</summary>
internal static class ExecutionSnapshotCommands
{
    public static Command Snapshot(CommonOptions common)
    {
        Argument<string> execution = ExecutionCommands.Execution();
        var name = new Argument<string>("NAME") { Description = "Of the snapshot" };
        Option<long?> step = Parts.Number("--step", "Of this step; else of the latest", 0);
        var delete = new Option<bool>("--delete") { Description = "Take the name away again; the checkpoint stays" };
        var command = new Command("snapshot", "Give a checkpoint a name, so that it is never thinned") { execution, name, step, delete };
        Parts.AtMostOne(command, step, delete);
        common.SetAction(command, async (session, parsed) =>
        {
            string place = new ExecutionPath(session.Namespace, parsed.GetRequiredValue(execution)).Snapshot(parsed.GetRequiredValue(name));
            if (parsed.GetValue(delete))
            {
                await session.Api.SendAsync(HttpMethod.Delete, place, null, [], session.Ending);
                return ExitCode.Ok;
            }
            byte[] made = await session.Api.SendAsync(
                HttpMethod.Post, AgentPath.WithQuery(place, ("step", parsed.GetValue(step))), "{}"u8.ToArray(), [], session.Ending);
            if (session.Json)
                session.Terminal.Out.JsonLine(made);
            else
                session.Terminal.Out.Line(
                    $"snapshot={Printable.Word(parsed.GetRequiredValue(name))}  step={JsonMember.Shown(made, "step")}  version={JsonMember.Shown(made, "version")}");
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command Snapshots(CommonOptions common)
    {
        Argument<string> execution = ExecutionCommands.Execution();
        var command = new Command("snapshots", "List an execution's snapshots") { execution };
        common.SetAction(command, async (session, parsed) =>
        {
            string place = new ExecutionPath(session.Namespace, parsed.GetRequiredValue(execution)).Snapshots;
            var table = new TableWriter(session.Terminal, "NAME", "STEP", "VERSION", "TIME", "BYTES");
            string PathOf(PageEnd? end) => AgentPath.WithQuery(place, ("after", end?["next"]));
            await foreach (ReadOnlyMemory<byte> item in session.Api.ReadPagesAsync(PathOf, session.Ending))
            {
                if (session.Json)
                    session.Terminal.Out.JsonLine(item.Span);
                else
                    table.Row(
                        Printable.Word(JsonMember.FindString(item, "name") ?? ""), JsonMember.Shown(item, "step"),
                        JsonMember.Shown(item, "version"), JsonMember.Shown(item, "time"), JsonMember.Shown(item, "state_bytes"));
            }
            if (!session.Json)
                table.Complete();
            return ExitCode.Ok;
        });
        return command;
    }
}

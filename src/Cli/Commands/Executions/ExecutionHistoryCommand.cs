using System.CommandLine;

namespace Statehouse.Cli;

/// <summary><c>executions history</c>: an execution's checkpoints, as a table.</summary>
internal static class ExecutionHistoryCommand
{
    private const int Page = 500;

    /// <summary>States may be large: the server holds a page of them at a time.</summary>
    private const int StatesPage = 100;

    private const int HashCharacters = 12;

    public static Command Build(CommonOptions common)
    {
        Argument<string> execution = ExecutionCommands.Execution();
        var state = new Option<bool>("--state") { Description = "With the state of each checkpoint that was not thinned" };
        Option<long?> from = Parts.Number("--from-step", "From this step", 0);
        Option<long?> to = Parts.Number("--to-step", "Up to this step, inclusive", 0);
        var newestFirst = new Option<bool>("--newest-first") { Description = "Else the oldest come first" };
        Option<long?> limit = Parts.Number("--limit", "At most this many", 1);
        var command = new Command("history", "List an execution's checkpoints") { execution, state, from, to, newestFirst, limit };
        common.SetAction(command, (session, parsed) =>
        {
            string checkpoints = new ExecutionPath(session.Namespace, parsed.GetRequiredValue(execution)).Checkpoints;
            bool withState = parsed.GetValue(state);
            long wanted = parsed.GetValue(limit) ?? long.MaxValue;
            string PathOf(PageEnd? end) => AgentPath.WithQuery(
                checkpoints,
                ("from_step", parsed.GetValue(from)), ("to_step", parsed.GetValue(to)),
                ("order", parsed.GetValue(newestFirst) ? "desc" : null), ("state", withState ? "true" : null),
                ("limit", Math.Min(withState ? StatesPage : Page, wanted)), ("after", end?["next"]));
            return PrintAsync(session, PathOf, withState, wanted);
        });
        return command;
    }

    private static async Task<int> PrintAsync(Session session, Func<PageEnd?, string> pathOf, bool withState, long wanted)
    {
        string[] titles = ["STEP", "VERSION", "TIME", "BYTES", "KEPT", "SHA-256", .. withState ? ["STATE"] : Array.Empty<string>()];
        var table = new TableWriter(session.Terminal, titles);
        await foreach (ReadOnlyMemory<byte> item in session.Api.ReadPagesAsync(pathOf, session.Ending))
        {
            if (session.Json)
                session.Terminal.Out.JsonLine(item.Span);
            else
                table.Row([.. Cells(item), .. withState ? [JsonMember.Shown(item, "state")] : Array.Empty<string>()]);
            if (--wanted == 0)
                break;
        }
        if (!session.Json)
            table.Complete();
        return ExitCode.Ok;
    }

    private static string[] Cells(ReadOnlyMemory<byte> item)
    {
        string sha256 = JsonMember.Shown(item, "sha256");
        return
        [
            JsonMember.Shown(item, "step"),
            JsonMember.Shown(item, "version"),
            JsonMember.Shown(item, "time"),
            JsonMember.Shown(item, "state_bytes"),
            JsonMember.Shown(item, "restorable") == "true" ? "yes" : "thinned",
            sha256.Length > HashCharacters ? sha256[..HashCharacters] : sha256,
        ];
    }
}

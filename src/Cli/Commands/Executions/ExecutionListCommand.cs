using System.CommandLine;
using System.Text.Json;

namespace Statehouse.Cli;

/// <summary><c>executions list</c>: those that match, as a table.</summary>
internal static class ExecutionListCommand
{
    private const int Page = 500;

    public static Command Build(CommonOptions common)
    {
        Option<string[]> status = ExecutionCommands.Several("--status", "STATUS", "Only this status; may be repeated for any of several");
        status.AcceptOnlyFromAmong("pending", "running", "paused", "completed", "failed", "cancelled");
        var workflow = new Option<string?>("--workflow") { Description = "Only this workflow", HelpName = "NAME" };
        Option<string[]> label = ExecutionCommands.Several("--label", "NAME=VALUE", "Only with this label; may be repeated for all of several");
        Option<string?> startedFrom = ExecutionCommands.Time("--started-from", "Created at or after");
        Option<string?> startedTo = ExecutionCommands.Time("--started-to", "Created before");
        Option<string?> updatedFrom = ExecutionCommands.Time("--updated-from", "Last changed at or after");
        Option<string?> updatedTo = ExecutionCommands.Time("--updated-to", "Last changed before");
        var orderBy = new Option<string?>("--order-by") { Description = "started or updated (default)", HelpName = "WHAT" };
        orderBy.AcceptOnlyFromAmong("started", "updated");
        var oldestFirst = new Option<bool>("--oldest-first") { Description = "Else the newest come first" };
        Option<long?> limit = Parts.Number("--limit", "At most this many", 1);
        var command = new Command("list", "List executions")
        {
            status, workflow, label, startedFrom, startedTo, updatedFrom, updatedTo, orderBy, oldestFirst, limit,
        };
        common.SetAction(command, (session, parsed) =>
        {
            (string, object?)[] conditions =
            [
                .. parsed.GetValue(status)!.Select(value => ("status", (object?)value)),
                .. parsed.GetValue(label)!.Select(value => ("label", (object?)value)),
                ("workflow", parsed.GetValue(workflow)),
                ("started_from", parsed.GetValue(startedFrom)), ("started_to", parsed.GetValue(startedTo)),
                ("updated_from", parsed.GetValue(updatedFrom)), ("updated_to", parsed.GetValue(updatedTo)),
                ("order_by", parsed.GetValue(orderBy)), ("order", parsed.GetValue(oldestFirst) ? "asc" : null),
            ];
            long wanted = parsed.GetValue(limit) ?? long.MaxValue;
            string PathOf(PageEnd? end) => AgentPath.WithQuery(
                ExecutionPath.AllOf(session.Namespace), [.. conditions, ("limit", Math.Min(Page, wanted)), ("after", end?["next"])]);
            return PrintAsync(session, PathOf, wanted);
        });
        return command;
    }

    private static async Task<int> PrintAsync(Session session, Func<PageEnd?, string> pathOf, long wanted)
    {
        var table = new TableWriter(session.Terminal, "EXECUTION", "STATUS", "STEP", "ATTEMPT", "UPDATED", "WORKFLOW", "LABELS");
        await foreach (ReadOnlyMemory<byte> item in session.Api.ReadPagesAsync(pathOf, session.Ending))
        {
            if (session.Json)
                session.Terminal.Out.JsonLine(item.Span);
            else
                table.Row(Cells(item));
            if (--wanted == 0)
                break;
        }
        if (!session.Json)
            table.Complete();
        return ExitCode.Ok;
    }

    private static string[] Cells(ReadOnlyMemory<byte> item) =>
    [
        Printable.Word(JsonMember.FindString(item, "execution_id") ?? ""),
        JsonMember.Shown(item, "status"),
        JsonMember.Shown(item, "step"),
        $"{JsonMember.Shown(item, "attempt")}/{JsonMember.Shown(item, "max_attempts")}",
        JsonMember.Shown(item, "updated_at"),
        Printable.Word(JsonMember.FindString(item, "workflow") ?? ""),
        Labels(JsonMember.Find(item, "labels")),
    ];

    /// <summary><c>a=1 b=2</c>.</summary>
    public static string Labels(ReadOnlyMemory<byte> labels)
    {
        if (labels.IsEmpty)
            return "";
        using JsonDocument document = JsonDocument.Parse(labels);
        return string.Join(' ', document.RootElement.EnumerateObject().Select(label => Printable.Word($"{label.Name}={label.Value}")));
    }
}

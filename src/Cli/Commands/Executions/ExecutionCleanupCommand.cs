using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Statehouse.Cli;

/// <summary><c>executions cleanup</c>: removes executions that ended long ago, call after call until none is left.</summary>
internal static class ExecutionCleanupCommand
{
    private static readonly string[] FinalStatuses = ["completed", "failed", "cancelled"];

    public static Command Build(CommonOptions common)
    {
        Option<long?> days = Parts.Number("--older-than-days", "That ended more than so many days ago", 0);
        Option<string[]> status = ExecutionCommands.Several("--status", "STATUS", "Only this status, a final one; may be repeated; default all of them");
        status.AcceptOnlyFromAmong(FinalStatuses);
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count: up to what one call to the server covers" };
        var command = new Command("cleanup", "Remove executions that ended long ago, with their history") { days, status, dryRun };
        command.Validators.Add(result =>
        {
            if (result.GetResult(days) is null)
                result.AddError("cleanup needs --older-than-days.");
        });
        common.SetAction(command, async (session, parsed) =>
        {
            string[] statuses = parsed.GetValue(status) is { Length: > 0 } given ? given : FinalStatuses;
            // One moment for all calls: what ends meanwhile is not removed by the last of them.
            DateTimeOffset before = TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(parsed.GetValue(days) ?? 0);
            bool isDry = parsed.GetValue(dryRun);
            Counts counts = await ProgressBar.RunAsync(
                session.Terminal, "removing", isDry ? 0 : await AtMostAsync(session, statuses),
                done => RemoveAsync(session, Body(before, statuses, isDry), done));
            Print(session, counts, isDry);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<Counts> RemoveAsync(Session session, byte[] body, Action<long> done)
    {
        string place = ExecutionPath.AllOf(session.Namespace) + "/cleanup";
        var counts = new Counts(0, 0, false);
        while (true)
        {
            Counts step = Counts.Parse(await session.Api.SendAsync(HttpMethod.Post, place, body, [], session.Ending));
            done(step.Removed);
            counts = counts.Plus(step);
            // A dry run leaves them where they are, so it would find the same ones again.
            if (!step.More || step.Removed == 0)
                return counts;
        }
    }

    /// <summary>How many there can be: those of the statuses, however young.</summary>
    private static async Task<long> AtMostAsync(Session session, string[] statuses)
    {
        byte[] metrics = await session.Api.GetAsync(ExecutionPath.AllOf(session.Namespace) + "/metrics", session.Ending);
        using JsonDocument document = JsonDocument.Parse(metrics);
        JsonElement byStatus = document.RootElement.GetProperty("by_status");
        return statuses.Sum(status => byStatus.TryGetProperty(status, out JsonElement count) ? count.GetInt64() : 0);
    }

    private static byte[] Body(DateTimeOffset before, string[] statuses, bool isDry)
    {
        string time = before.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        string names = string.Join(',', statuses.Distinct().Select(status => $"\"{status}\""));
        return Encoding.UTF8.GetBytes($$"""{"older_than":"{{time}}","status":[{{names}}],"dry_run":{{(isDry ? "true" : "false")}}}""");
    }

    private static void Print(Session session, Counts counts, bool isDry)
    {
        string more = counts.More ? "true" : "false";
        string text = session.Json
            ? string.Create(CultureInfo.InvariantCulture, $$"""{"matched":{{counts.Matched}},"removed":{{counts.Removed}},"dry_run":{{(isDry ? "true" : "false")}},"more":{{more}}}""")
            : string.Create(CultureInfo.InvariantCulture, $"matched={counts.Matched}  removed={counts.Removed}{(counts.More ? "  and more" : "")}");
        session.Terminal.Out.Line(text);
    }

    private sealed record Counts(long Matched, long Removed, bool More)
    {
        public static Counts Parse(byte[] answer)
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(answer);
                JsonElement members = document.RootElement;
                return new Counts(
                    members.GetProperty("matched").GetInt64(),
                    members.GetProperty("removed").GetInt64(),
                    members.TryGetProperty("more", out JsonElement more) && more.ValueKind == JsonValueKind.True);
            }
            catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw CommandFailure.Refused($"this is no answer of a cleanup: {error.Message}");
            }
        }

        public Counts Plus(Counts other) => new(Matched + other.Matched, Removed + other.Removed, other.More);
    }
}

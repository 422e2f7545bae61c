using System.CommandLine;

namespace Statehouse.Cli;

/// <summary><c>replay</c>: an agent's history, from its first commit or between two moments.</summary>
internal static class ReplayCommand
{
    public static Command Build(CommonOptions common)
    {
        Argument<string> agent = Parts.Agent();
        Option<long?> startTs = Parts.Number("--start-ts", "From this commit_ts on, inclusive", 0);
        Option<long?> endTs = Parts.Number("--end-ts", "Up to this commit_ts, inclusive", 0);
        Option<long?> limit = Parts.Number("--limit", "At most this many commits", 1);
        var verbose = new Option<bool>("--verbose", "-v") { Description = "A line for each commit too, and values in full" };
        var command = new Command("replay", "Print an agent's history, oldest first") { agent, startTs, endTs, limit, verbose };
        common.SetAction(command, async (session, parsed) =>
        {
            string id = parsed.GetRequiredValue(agent);
            AgentPath path = session.Agent(id);
            HeadText head = await HeadText.ReadAsync(session, path);
            long from = parsed.GetValue(startTs) is { } start and > 0
                ? await History.FirstAtOrAfterAsync(session, path, head, start)
                : head.FirstVersion;
            await WriteAsync(session, path, from, head.Version, parsed.GetValue(endTs) ?? long.MaxValue,
                parsed.GetValue(limit) ?? long.MaxValue, CommitPrinter.For(session, parsed.GetValue(verbose)));
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task WriteAsync(
        Session session, AgentPath path, long from, long to, long endTs, long limit, Action<string, CommitText> write)
    {
        await foreach (CommitText commit in History.ReadAsync(session, path, from, to, session.Ending))
        {
            if (commit.CommitTs > endTs || limit-- == 0)
                break;
            write(path.Agent, commit);
        }
    }
}

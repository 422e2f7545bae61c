using System.CommandLine;

namespace Statehouse.Cli;

/// <summary><c>dump</c>: an agent's whole history, for <c>load</c> or for people.</summary>
internal static class DumpCommand
{
    private const int ReportEvery = 500;

    public static Command Build(CommonOptions common)
    {
        Argument<string> agent = Parts.Agent();
        var file = new Option<string?>("--output", "-o") { Description = "File to write, whole or not at all; default standard output", HelpName = "FILE" };
        var format = new Option<string>("--format")
        {
            Description = "json: JSON lines that load reads; text: lines for people",
            DefaultValueFactory = static _ => "json",
        };
        format.AcceptOnlyFromAmong("json", "text");
        var command = new Command("dump", "Write an agent's whole history") { agent, file, format };
        common.SetAction(command, async (session, parsed) =>
        {
            AgentPath path = session.Agent(parsed.GetRequiredValue(agent));
            HeadText head = await HeadText.ReadAsync(session, path);
            bool isText = parsed.GetValue(format) == "text" && !session.Json;
            string? place = parsed.GetValue(file);
            if (place is null or "-")
            {
                await WriteAsync(session, path, head, session.Terminal.Out, isText);
                return ExitCode.Ok;
            }
            using var partial = new PartialFile(place);
            await ProgressBar.RunAsync(session.Terminal, "dumping", head.Version - head.FirstVersion + 1, done =>
                WriteAsync(session, path, head, partial.Out, isText, done));
            partial.Complete();
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<long> WriteAsync(
        Session session, AgentPath path, HeadText head, OutputWriter output, bool isText, Action<long>? done = null)
    {
        ReplayLines? lines = isText ? new ReplayLines(output, int.MaxValue, color: false, verbose: true) : null;
        if (lines is null)
            new DumpHeader(path.Namespace, path.Agent, head).WriteTo(output);
        long count = 0;
        await foreach (CommitText commit in History.ReadAsync(session, path, head.FirstVersion, head.Version, session.Ending))
        {
            if (lines is null)
                DumpHeader.WriteCommit(output, commit.Raw.Span);
            else
                lines.Write(path.Agent, commit);
            if (++count % ReportEvery == 0)
                done?.Invoke(ReportEvery);
        }
        return count;
    }
}

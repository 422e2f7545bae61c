using System.CommandLine;
using System.Globalization;

namespace Statehouse.Cli;

/// <summary><c>inspect</c>: where an agent stands, and its newest commits.</summary>
internal static class InspectCommand
{
    private const int CommitsShown = 5;

    public static Command Build(CommonOptions common)
    {
        Argument<string> agent = Parts.Agent();
        var command = new Command("inspect", "Show where an agent stands") { agent };
        common.SetAction(command, async (session, parsed) =>
        {
            AgentPath path = session.Agent(parsed.GetRequiredValue(agent));
            HeadText head = await HeadText.ReadAsync(session, path);
            if (session.Json)
            {
                session.Terminal.Out.JsonLine(head.Raw);
                return ExitCode.Ok;
            }
            Describe(session.Terminal.Out, path, head);
            long from = Math.Max(head.FirstVersion, head.Version + 1 - CommitsShown);
            Action<string, CommitText> write = CommitPrinter.For(session, verbose: false);
            await foreach (CommitText commit in History.ReadAsync(session, path, from, head.Version, session.Ending))
                write(path.Agent, commit);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Describe(OutputWriter output, AgentPath path, HeadText head)
    {
        Row(output, "namespace", Printable.OneLine(path.Namespace));
        Row(output, "agent", Printable.OneLine(path.Agent));
        Row(output, "version", head.Version);
        Row(output, "commit_ts", head.CommitTs);
        Row(output, "time", head.Time);
        Row(output, "hash", head.Hash);
        Row(output, "keys", head.KeyCount);
        Row(output, "bytes", head.Bytes);
        Row(output, "first kept", head.FirstVersion);
        output.Line("");
    }

    private static void Row(OutputWriter output, string name, object value) =>
        output.Line(string.Create(CultureInfo.InvariantCulture, $"{name,-12}{value}"));
}

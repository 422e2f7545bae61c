using System.CommandLine;
using System.Text;

namespace Statehouse.Cli;

/// <summary><c>agents</c>, <c>keys</c> and <c>scan</c>: lists that are printed while their pages arrive.</summary>
internal static class ListCommands
{
    private const int KeysPage = 1000;

    /// <summary>Values may be large: the server holds a page of them at a time.</summary>
    private const int ValuesPage = 100;

    public static Command Agents(CommonOptions common)
    {
        Option<string?> prefix = Parts.Prefix("agents");
        Option<long?> limit = Limit();
        var command = new Command("agents", "List the agents of a namespace, in byte order") { prefix, limit };
        common.SetAction(command, (session, parsed) =>
        {
            string PathOf(PageEnd? end) => AgentPath.WithQuery(
                AgentPath.AgentsOf(session.Namespace), ("prefix", parsed.GetValue(prefix)), ("after", end?["next"]), ("limit", KeysPage));
            return PrintAsync(session, PathOf, parsed.GetValue(limit), item =>
                $"{Printable.Word(JsonMember.FindString(item, "agent") ?? "")}  version={Text(item, "version")}");
        });
        return command;
    }

    public static Command Keys(CommonOptions common) =>
        Scanning(common, "keys", "List an agent's live keys, in byte order", keysOnly: true, static item =>
            Printable.OneLine(JsonMember.FindString(item, "key") ?? ""));

    public static Command Scan(CommonOptions common) =>
        Scanning(common, "scan", "List an agent's live keys with their values, in byte order", keysOnly: false, static item =>
            $"{Printable.Word(JsonMember.FindString(item, "key") ?? "")}  v={Text(item, "version")}  {Printable.Json(JsonMember.Text(item, "value").Span)}");

    private static Command Scanning(
        CommonOptions common, string name, string description, bool keysOnly, Func<ReadOnlyMemory<byte>, string> lineOf)
    {
        Argument<string> agent = Parts.Agent();
        Option<string?> prefix = Parts.Prefix("keys");
        Option<long?> atVersion = Parts.AtVersion();
        Option<string?> at = Parts.At();
        Option<long?> limit = Limit();
        var command = new Command(name, description) { agent, prefix, atVersion, at, limit };
        Parts.AtMostOne(command, atVersion, at);
        common.SetAction(command, (session, parsed) =>
        {
            string state = session.Agent(parsed.GetRequiredValue(agent)).State;
            // The first page says which version it is of; the others are asked for at that version.
            string PathOf(PageEnd? end) => AgentPath.WithQuery(
                state,
                ("prefix", parsed.GetValue(prefix)), ("after", end?["next"]), ("limit", keysOnly ? KeysPage : ValuesPage),
                ("keys_only", keysOnly ? "true" : null),
                ("at_version", end is null ? parsed.GetValue(atVersion) : end["agent_version"]),
                ("at", end is null ? parsed.GetValue(at) : null));
            return PrintAsync(session, PathOf, parsed.GetValue(limit), lineOf);
        });
        return command;
    }

    private static async Task<int> PrintAsync(
        Session session, Func<PageEnd?, string> pathOf, long? limit, Func<ReadOnlyMemory<byte>, string> lineOf)
    {
        long left = limit ?? long.MaxValue;
        await foreach (ReadOnlyMemory<byte> item in session.Api.ReadPagesAsync(pathOf, session.Ending))
        {
            if (session.Json)
                session.Terminal.Out.JsonLine(item.Span);
            else
                session.Terminal.Out.Line(session.Terminal.IsOutputTerminal ? Printable.Cut(lineOf(item), session.Terminal.Width) : lineOf(item));
            if (--left == 0)
                break;
        }
        return ExitCode.Ok;
    }

    private static Option<long?> Limit() => Parts.Number("--limit", "At most this many", 1);

    private static string Text(ReadOnlyMemory<byte> item, string name) => Encoding.UTF8.GetString(JsonMember.Text(item, name).Span);
}

using System.CommandLine;
using System.Text;
using System.Text.Json;

namespace Statehouse.Cli;

/// <summary><c>health</c> and <c>version</c>: questions about the server itself.</summary>
internal static class ServerCommands
{
    public static Command Health(CommonOptions common)
    {
        var command = new Command("health", "Whether the server is ready: it makes a round trip to its journal");
        common.SetAction(command, async (session, _) =>
        {
            byte[] ready = await session.Api.GetAsync("/readyz", session.Ending);
            if (session.Json)
                session.Terminal.Out.JsonLine(ready);
            else
                session.Terminal.Out.Line(Member(ready, "status"));
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command Version(CommonOptions common)
    {
        var command = new Command("version", "Versions of this program and of the server");
        common.SetAction(command, async (session, _) =>
        {
            byte[] server = await session.Api.GetAsync("/v1/version", session.Ending);
            string client = typeof(ServerCommands).Assembly.GetName().Version!.ToString(3);
            if (session.Json)
                session.Terminal.Out.JsonLine(Encoding.UTF8.GetBytes($$"""{"client":"{{client}}","server":{{Encoding.UTF8.GetString(server)}}}"""));
            else
                session.Terminal.Out.Line($"statehousectl {client}\nserver {Member(server, "version")} ({Member(server, "git_sha")}), api {Member(server, "api")}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Member(byte[] json, string name)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return Printable.OneLine(document.RootElement.GetProperty(name).ToString());
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw CommandFailure.Refused($"the server's answer has no {name}: is it a Statehouse server?");
        }
    }
}

using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Statehouse.Cli;

/// <summary><c>verify</c>: recomputes an agent's hash chain here, from its history, and compares it with the head's hash.</summary>
internal static class VerifyCommand
{
    public static Command Build(CommonOptions common)
    {
        Argument<string> agent = Parts.Agent();
        var command = new Command("verify", "Recompute an agent's hash chain from its history and compare it") { agent };
        common.SetAction(command, async (session, parsed) =>
        {
            ChainVerdict verdict = await ChainAudit.RunAsync(session, session.Agent(parsed.GetRequiredValue(agent)));
            session.Terminal.Out.Line(session.Json ? Json(verdict) : verdict.Fault is null ? Good(verdict) : Bad(verdict));
            return verdict.Fault is null ? ExitCode.Ok : ExitCode.Refused;
        });
        return command;
    }

    private static string Good(ChainVerdict verdict)
    {
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"OK  agent={Printable.Word(verdict.Path.Agent)}  commits={verdict.Commits}  version={verdict.End.Version}  hash={verdict.End.Hash}");
        return verdict.End.FirstVersion == 1
            ? line
            : line + string.Create(CultureInfo.InvariantCulture, $"  (history before version {verdict.End.FirstVersion} was trimmed: its hash is taken on trust)");
    }

    private static string Bad(ChainVerdict verdict) => string.Create(
        CultureInfo.InvariantCulture,
        $"BROKEN  agent={Printable.Word(verdict.Path.Agent)}  at version {verdict.BrokenAt}: {Printable.OneLine(verdict.Fault!)}");

    private static string Json(ChainVerdict verdict)
    {
        ChainEnd end = verdict.End;
        var json = new StringBuilder("{\"ok\":").Append(verdict.Fault is null ? "true" : "false")
            .Append(",\"namespace\":").Append(JsonString.Of(verdict.Path.Namespace))
            .Append(",\"agent\":").Append(JsonString.Of(verdict.Path.Agent))
            .Append(CultureInfo.InvariantCulture, $",\"first_version\":{end.FirstVersion},\"version\":{end.Version},\"commits\":{verdict.Commits}")
            .Append(",\"hash\":").Append(JsonString.Of(end.Hash));
        if (verdict.Fault is not null)
            json.Append(CultureInfo.InvariantCulture, $",\"broken_at\":{verdict.BrokenAt}").Append(",\"fault\":").Append(JsonString.Of(verdict.Fault));
        return json.Append('}').ToString();
    }
}

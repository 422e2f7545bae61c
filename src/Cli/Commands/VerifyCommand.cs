using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Statehouse.Cli;

/// <summary><c>verify</c>: recomputes an agent's hash chain here, from its history, and compares it with the head's hash.</summary>
internal static class VerifyCommand
{
    private const int ReportEvery = 500;

    public static Command Build(CommonOptions common)
    {
        Argument<string> agent = Parts.Agent();
        var command = new Command("verify", "Recompute an agent's hash chain from its history and compare it") { agent };
        common.SetAction(command, async (session, parsed) =>
        {
            AgentPath path = session.Agent(parsed.GetRequiredValue(agent));
            HeadText head = await HeadText.ReadAsync(session, path);
            var chain = new ChainCheck(path.Namespace, path.Agent, head.FirstVersion);
            string? fault = await ProgressBar.RunAsync(
                session.Terminal, "verifying", head.Version - head.FirstVersion + 1, done => FaultAsync(session, path, head, chain, done));
            Report(session, path, head, chain, fault);
            return fault is null ? ExitCode.Ok : ExitCode.Refused;
        });
        return command;
    }

    /// <returns>What is wrong, at the version that the chain waits for; null where all holds.</returns>
    private static async Task<string?> FaultAsync(Session session, AgentPath path, HeadText head, ChainCheck chain, Action<long> done)
    {
        await foreach (CommitText commit in History.ReadAsync(session, path, head.FirstVersion, head.Version, session.Ending))
        {
            if (chain.Fault(commit) is { } fault)
                return fault;
            if (chain.Count % ReportEvery == 0)
                done(ReportEvery);
        }
        if (chain.Next != head.Version + 1)
            return "the history ends before the head's version";
        return chain.Hash == head.Hash ? null : $"the head's hash is {head.Hash}, but the chain ends with {chain.Hash}";
    }

    private static void Report(Session session, AgentPath path, HeadText head, ChainCheck chain, string? fault)
    {
        // A head that does not fit is found when all its commits were seen: then it is the last of them that is in question.
        long at = Math.Min(chain.Next, head.Version);
        if (session.Json)
            session.Terminal.Out.Line(Json(path, head, chain, fault, at));
        else if (fault is null)
            session.Terminal.Out.Line(Good(path, head, chain));
        else
            session.Terminal.Out.Line(string.Create(
                CultureInfo.InvariantCulture, $"BROKEN  agent={Printable.Word(path.Agent)}  at version {at}: {Printable.OneLine(fault)}"));
    }

    private static string Good(AgentPath path, HeadText head, ChainCheck chain)
    {
        string line = string.Create(
            CultureInfo.InvariantCulture, $"OK  agent={Printable.Word(path.Agent)}  commits={chain.Count}  version={head.Version}  hash={head.Hash}");
        return head.FirstVersion == 1
            ? line
            : line + string.Create(CultureInfo.InvariantCulture, $"  (history before version {head.FirstVersion} was trimmed: its hash is taken on trust)");
    }

    private static string Json(AgentPath path, HeadText head, ChainCheck chain, string? fault, long at)
    {
        var json = new StringBuilder("{\"ok\":").Append(fault is null ? "true" : "false")
            .Append(",\"namespace\":").Append(JsonString.Of(path.Namespace))
            .Append(",\"agent\":").Append(JsonString.Of(path.Agent))
            .Append(CultureInfo.InvariantCulture, $",\"first_version\":{head.FirstVersion},\"version\":{head.Version},\"commits\":{chain.Count}")
            .Append(",\"hash\":").Append(JsonString.Of(head.Hash));
        if (fault is not null)
            json.Append(CultureInfo.InvariantCulture, $",\"broken_at\":{at}").Append(",\"fault\":").Append(JsonString.Of(fault));
        return json.Append('}').ToString();
    }
}

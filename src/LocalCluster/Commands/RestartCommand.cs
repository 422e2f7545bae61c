using System.CommandLine;

namespace Statehouse.LocalCluster;

/// <summary><c>restart</c>: ends one process where it runs, and starts it again under its number and addresses.</summary>
internal static class RestartCommand
{
    public static Command Build(SessionOptions common)
    {
        Argument<int> number = KillCommand.Number();
        Option<bool> hard = KillCommand.Hard();
        Option<int> timeout = StartOptions.Timeout();
        var command = new Command("restart", "Ends one process where it runs, and starts it again on its addresses") { number, hard, timeout };
        common.SetAction(command, (session, parsed) =>
            RunAsync(session, parsed.GetValue(number), parsed.GetValue(hard), parsed.GetValue(timeout)));
        return command;
    }

    private static async Task RunAsync(ClusterSession session, int number, bool hard, int timeoutSeconds)
    {
        using LiveCluster cluster = session.Open();
        cluster.RequireRunning(session);
        ProcessState process = cluster.State.Require(number);
        if (process.IsAlive)
            await cluster.EndAsync(process, hard);
        var ports = new PortChooser(cluster.State.Processes.Where(each => each.Number != number));
        ProcessState again = process with { Ports = ports.Choose(process.Role, process.Ports.Dashboard is not null, process.Ports) };
        await cluster.StartOneAsync(session, again, timeoutSeconds);
        session.Print(again);
    }
}

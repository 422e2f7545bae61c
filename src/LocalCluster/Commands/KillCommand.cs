using System.CommandLine;

namespace Statehouse.LocalCluster;

/// <summary><c>kill</c>: ends one process, in order or as a crash would.</summary>
internal static class KillCommand
{
    public static Command Build(SessionOptions common)
    {
        Argument<int> number = Number();
        Option<bool> hard = Hard();
        var command = new Command("kill", "Ends one process: SIGTERM, and waits until it has drained") { number, hard };
        common.SetAction(command, (session, parsed) => RunAsync(session, parsed.GetValue(number), parsed.GetValue(hard)));
        return command;
    }

    public static Argument<int> Number() => new("N") { Description = "The process's number in status" };

    public static Option<bool> Hard() => new("-9", "--hard") { Description = "SIGKILL instead: as a crash" };

    private static async Task RunAsync(ClusterSession session, int number, bool hard)
    {
        using LiveCluster cluster = session.Open();
        ProcessState process = cluster.State.Require(number);
        if (!process.IsAlive)
            throw new ClusterFailure($"{process} does not run.");
        await cluster.EndAsync(process, hard);
        session.Print($"{process} (process {process.Identity!.Pid}) is {(hard ? "killed" : "stopped")}");
    }

    /// <exception cref="ClusterFailure">There is none; says which there are.</exception>
    public static ProcessState Require(this ClusterState cluster, int number) =>
        cluster.Find(number)
        ?? throw new ClusterFailure($"the cluster has no process {number}; it has {string.Join(", ", cluster.Processes.Select(process => process.Number))}.");
}

using System.CommandLine;

namespace Statehouse.LocalCluster;

/// <summary><c>add</c>: one more process in a running cluster.</summary>
internal static class AddCommand
{
    public static Command Build(SessionOptions common)
    {
        var role = new Option<ClusterRole>("--role") { Description = "What to add", HelpName = "silo|gateway", DefaultValueFactory = _ => ClusterRole.Silo };
        role.AcceptOnlyFromAmong("silo", "gateway");
        Option<int> timeout = StartOptions.Timeout();
        var command = new Command("add", "Starts one more silo or gateway and waits until agents answer with it") { role, timeout };
        common.SetAction(command, (session, parsed) => RunAsync(session, parsed.GetValue(role), parsed.GetValue(timeout)));
        return command;
    }

    private static async Task RunAsync(ClusterSession session, ClusterRole role, int timeoutSeconds)
    {
        using LiveCluster cluster = session.Open();
        cluster.RequireRunning(session);
        var process = new ProcessState
        {
            Number = cluster.State.Processes.Max(each => each.Number) + 1,
            Role = role,
            Ports = new PortChooser(cluster.State.Processes).Choose(role, dashboard: false, preferred: null),
        };
        await cluster.StartOneAsync(session, process, timeoutSeconds);
        session.Print(process);
    }
}

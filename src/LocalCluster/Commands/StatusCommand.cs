using System.CommandLine;

namespace Statehouse.LocalCluster;

/// <summary><c>status</c>: what there is, and how it is. Takes no lock: it also shows what another command is doing.</summary>
internal static class StatusCommand
{
    public static Command Build(SessionOptions common)
    {
        var json = new Option<bool>("--json") { Description = "One JSON object: docs/cluster-commands.md" };
        var command = new Command("status", "Shows every process: role, id, state, addresses") { json };
        common.SetAction(command, (session, parsed) => RunAsync(session, parsed.GetValue(json)));
        return command;
    }

    private static async Task RunAsync(ClusterSession session, bool json)
    {
        ClusterState cluster = session.Folder.Load();
        using var readiness = new ReadinessProbe();
        ProcessStatus[] processes = await Task.WhenAll(
            cluster.Processes.Select(process => ProcessStatus.OfAsync(process, session.Folder, readiness, session.Ending)));
        var status = new ClusterStatus(session.Folder.Root, PostgresStatus.Of(cluster.Postgres), processes);
        foreach (string line in json ? [status.Json()] : status.Lines())
            session.Print(line);
    }
}

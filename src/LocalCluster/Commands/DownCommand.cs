using System.CommandLine;

namespace Statehouse.LocalCluster;

/// <summary><c>down</c>: ends everything; the data stays unless told otherwise.</summary>
internal static class DownCommand
{
    public static Command Build(SessionOptions common)
    {
        var purge = new Option<bool>("--purge") { Description = "Deletes the cluster with its data, too" };
        var command = new Command("down", "Ends gateways, silos and the private PostgreSQL; the data stays") { purge };
        common.SetAction(command, (session, parsed) => RunAsync(session, parsed.GetValue(purge)));
        return command;
    }

    private static async Task RunAsync(ClusterSession session, bool purge)
    {
        using LiveCluster cluster = session.Open();
        int ended = await cluster.EndAllAsync();
        session.Print(ended > 0 ? $"the cluster in {session.Folder.Root} is down" : $"no process of the cluster in {session.Folder.Root} ran");
        if (!purge)
            return;
        session.Folder.Purge(cluster.State);
        session.Print(cluster.State.Postgres.Private is null
            ? "its folder is deleted; the data in the PostgreSQL that it was given is not touched"
            : "it is deleted, with its data");
    }
}

using System.CommandLine;

namespace Statehouse.LocalCluster;

/// <summary><c>env</c>: what another process needs to join the cluster or to be its client, as lines for a shell.</summary>
internal static class EnvCommand
{
    public static Command Build(SessionOptions common)
    {
        var command = new Command("env", "Prints what a process of the cluster or an Orleans client is told, for eval. It holds the database's password");
        common.SetAction(command, (session, _) => RunAsync(session));
        return command;
    }

    private static Task RunAsync(ClusterSession session)
    {
        ClusterState cluster = session.Folder.Load();
        IReadOnlyDictionary<string, string> environment = ProcessArguments.Environment(cluster);
        foreach ((string name, string value) in environment.Append(new("STATEHOUSE_CLUSTER_ID", cluster.ClusterId)))
            session.Print($"export {name}={Quoted(value)}");
        return Task.CompletedTask;
    }

    /// <summary>One word for a shell, whatever it holds.</summary>
    private static string Quoted(string value) => "'" + value.Replace("'", @"'\''", StringComparison.Ordinal) + "'";
}

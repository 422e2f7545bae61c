using System.CommandLine;

namespace Statehouse.LocalCluster;

/// <summary>All commands under one root.</summary>
internal static class ClusterCommands
{
    private const string Description =
        "Runs a Statehouse cluster of real processes on this machine, with a PostgreSQL of its own unless one is given. "
        + "Exit codes: 0 ok, 1 failed, 2 usage, 3 the package source has no Orleans runtime.";

    public static RootCommand Build()
    {
        var common = new SessionOptions();
        var root = new RootCommand(Description)
        {
            UpCommand.Build(common),
            AddCommand.Build(common),
            KillCommand.Build(common),
            RestartCommand.Build(common),
            StatusCommand.Build(common),
            EnvCommand.Build(common),
            DownCommand.Build(common),
        };
        common.AddTo(root);
        return root;
    }

    /// <summary>Names the mistake on standard error, in one line.</summary>
    /// <returns>The exit code.</returns>
    public static int SayWhatIsWrong(ParseResult command)
    {
        // A word that is no command or flag says more than that another one is missing.
        string what = command.UnmatchedTokens.Count > 0 ? $"there is no '{command.UnmatchedTokens[0]}' here" : command.Errors[0].Message.TrimEnd('.');
        Console.Error.WriteLine($"statehouse: {LoopbackHttp.Shown(what)}; see ./statehouse cluster help");
        return ClusterExitCode.Usage;
    }
}

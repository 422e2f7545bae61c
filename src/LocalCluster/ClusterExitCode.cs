namespace Statehouse.LocalCluster;

/// <summary>What a command ends with. A contract with scripts: docs/cluster-commands.md.</summary>
internal static class ClusterExitCode
{
    public const int Ok = 0;

    /// <summary>It could not be done; what was begun has been ended again.</summary>
    public const int Failed = 1;

    /// <summary>The command line cannot be used.</summary>
    public const int Usage = 2;

    /// <summary>The package source has no Orleans runtime, so there can be no cluster.</summary>
    public const int NoRuntime = 3;

    /// <summary>Ended by Ctrl-C or SIGTERM, as a shell says it: 128 + SIGINT.</summary>
    public const int Interrupted = 130;
}

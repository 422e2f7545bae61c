namespace Statehouse.LocalCluster;

/// <summary>Whom PostgreSQL runs as: it refuses to run as root.</summary>
internal static class ServerAccount
{
    private static readonly string[] s_candidates = ["postgres", "nobody"];

    /// <returns>null = as we do; for root, the user of PostgreSQL's package, or else nobody.</returns>
    /// <exception cref="ClusterFailure">We are root, and there is neither.</exception>
    public static async Task<string?> FindAsync(CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
            return null;
        foreach (string name in s_candidates)
        {
            if (await Succeeds(["id", "-u", name], user: null, cancellationToken))
                return name;
        }
        throw new ClusterFailure($"PostgreSQL does not run as root, and there is no user {string.Join(" or ", s_candidates)} to run it as: make one, or name a server with --postgres.");
    }

    /// <summary>Whether it can work in a folder: each folder above must let it pass, too.</summary>
    public static Task<bool> CanUseAsync(string? account, string folder, CancellationToken cancellationToken) =>
        Succeeds(["test", "-w", folder, "-a", "-x", folder], account, cancellationToken);

    /// <exception cref="ClusterFailure">It cannot be done.</exception>
    public static async Task GiveAsync(string account, string path, CancellationToken cancellationToken)
    {
        (int exitCode, string output) = await OtherProgram.RunAsync(["chown", account, path], user: null, NoEnvironment, cancellationToken);
        if (exitCode != 0)
            throw new ClusterFailure($"{path} cannot be given to user {account}, who runs PostgreSQL: {output.Trim()}");
    }

    public static IReadOnlyDictionary<string, string> NoEnvironment { get; } = new Dictionary<string, string>();

    private static async Task<bool> Succeeds(string[] command, string? user, CancellationToken cancellationToken) =>
        (await OtherProgram.RunAsync(command, user, NoEnvironment, cancellationToken)).ExitCode == 0;
}

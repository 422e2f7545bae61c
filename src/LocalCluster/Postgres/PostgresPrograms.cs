namespace Statehouse.LocalCluster;

/// <summary>Where this machine keeps PostgreSQL's server programs.</summary>
internal static class PostgresPrograms
{
    /// <summary>Debian and Red Hat keep them out of PATH, in a folder of each major version.</summary>
    private static readonly (string Root, string Prefix)[] s_packages = [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")];

    /// <summary>PATH first: it is what a user can choose by. Then the newest of the packages.</summary>
    /// <returns>A folder with initdb, pg_ctl and postgres.</returns>
    /// <exception cref="ClusterFailure">There is none.</exception>
    public static string Find() =>
        InPath().Concat(OfPackages()).FirstOrDefault(HoldsServer)
        ?? throw new ClusterFailure(
            "PostgreSQL's server programs (initdb, pg_ctl, postgres) are neither in PATH nor where packages put them: "
            + "install them (Debian: apt-get install postgresql), or name a server with --postgres.");

    private static IEnumerable<string> InPath() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<string> OfPackages() =>
        from package in s_packages
        where Directory.Exists(package.Root)
        from folder in Directory.GetDirectories(package.Root, package.Prefix + "*")
        let version = Path.GetFileName(folder)[package.Prefix.Length..]
        orderby int.TryParse(version, out int major) ? major : 0 descending
        select Path.Combine(folder, "bin");

    private static bool HoldsServer(string folder) =>
        new[] { "initdb", "pg_ctl", "postgres" }.All(program => File.Exists(Path.Combine(folder, program)));
}

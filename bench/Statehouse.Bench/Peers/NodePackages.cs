using System.Text.Json;
using System.Text.RegularExpressions;
using Statehouse.Bench.Measuring;
using Statehouse.Testing;

namespace Statehouse.Bench.Peers;

/// <summary>bench/peers installed into the run's folder, in the versions of its lock file. Run only: nothing of it is copied or shipped.</summary>
internal sealed partial class NodePackages
{
    /// <summary>npm's packages may run programs when they are installed; none of these needs to, and one of them would report home.</summary>
    private static readonly string[] s_install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];

    /// <summary>Reports to nobody.</summary>
    private static readonly Dictionary<string, string> s_environment = new() { ["SCARF_ANALYTICS"] = "false", ["DO_NOT_TRACK"] = "1", ["LANGSMITH_TRACING"] = "false" };

    private static readonly TimeSpan s_installBound = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_answerBound = TimeSpan.FromMinutes(1);

    private readonly string _folder;

    private NodePackages(string folder, string nodeVersion) => (_folder, NodeVersion) = (folder, nodeVersion);

    public string NodeVersion { get; }

    /// <summary>What stands in the clone: package.json, its lock file, and our programs on those packages.</summary>
    public static string Sources => Repository.PathOf("bench/peers");

    public static string LockFile => Path.Combine(Sources, "package-lock.json");

    /// <param name="folder">That of the run: its path is on the command line of whatever runs here, and so it ends with the run.</param>
    /// <param name="results">Is told what happens.</param>
    /// <exception cref="MissingHere">There is no Node here, or the packages cannot be had.</exception>
    public static async Task<NodePackages> InstallAsync(string folder, Results results)
    {
        if (RedisProgram.Find("node") is null || RedisProgram.Find("npm") is null)
            throw new MissingHere("node and npm are not installed");
        string packages = Directory.CreateDirectory(Path.Combine(folder, "packages")).FullName;
        foreach (string file in Directory.EnumerateFiles(Sources))
            File.Copy(file, Path.Combine(packages, Path.GetFileName(file)));
        results.Say($"{"",-12} (npm {string.Join(' ', s_install)} in a temporary folder)");
        await using ChildProcess npm = ChildProcess.Start("npm", [.. s_install, "--prefix", packages], packages, environment: s_environment);
        int code = await npm.WaitForExitAsync(s_installBound, CancellationToken.None);
        if (code != 0)
            throw new MissingHere($"npm ci ended with {code}: {npm.Output.Split('\n').LastOrDefault(line => line.StartsWith("npm error", StringComparison.Ordinal)) ?? "it said nothing"}");
        await using ChildProcess node = ChildProcess.Start("node", ["--version"]);
        await node.WaitForExitAsync(s_answerBound, CancellationToken.None);
        return new NodePackages(packages, node.Output.Trim());
    }

    /// <summary>Version and licence of a package as it is installed, for instance <c>1.0.5 (MIT)</c>.</summary>
    public string Describe(string package)
    {
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(PathOf(package, "package.json")));
        return $"{package} {manifest.RootElement.GetProperty("version").GetString()} ({manifest.RootElement.GetProperty("license").GetString()})";
    }

    public string PathOf(string package, string file) => Path.Combine(_folder, "node_modules", package, file);

    /// <summary>One of our programs in bench/peers.</summary>
    public ChildProcess Run(string program, IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments) => ChildProcess.Start(
        "node", [Path.Combine(_folder, program), .. arguments], _folder, environment: s_environment.Concat(environment).ToDictionary());

    /// <summary>Hosts that a lock file names as a package's source; npm asks the user's own registry where it names none.</summary>
    public static IReadOnlyList<string> SourceHosts(string lockFile) =>
        [.. Resolved().Matches(lockFile).Select(match => new Uri(match.Groups[1].Value).Host).Distinct()];

    [GeneratedRegex("""
        "resolved":\s*"([^"]+)"
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Resolved();
}

using Statehouse.Bench.Measuring;
using Statehouse.Testing;

namespace Statehouse.Bench.Peers;

/// <summary>Debian's redis-server, installed where that is possible.</summary>
internal static class RedisProgram
{
    private const string Name = "redis-server";

    /// <summary>Installs without starting the package's own service: policy-rc.d is how Debian lets one say so.</summary>
    private const string Install = """
        set -e
        if [ ! -e /usr/sbin/policy-rc.d ]; then
          printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
          chmod 755 /usr/sbin/policy-rc.d
          trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get install -y --no-install-recommends redis-server || { apt-get update && apt-get install -y --no-install-recommends redis-server; }
        """;

    private static readonly TimeSpan s_installBound = TimeSpan.FromMinutes(5);

    /// <returns>Its path.</returns>
    /// <exception cref="MissingHere">It is not installed, and we are not root on a Debian that could install it.</exception>
    public static async Task<string> FindOrInstallAsync(Results results)
    {
        if (Find(Name) is { } found)
            return found;
        if (!Environment.IsPrivilegedProcess || Find("apt-get") is null)
            throw new MissingHere($"{Name} is not installed, and only root on Debian can be helped here: apt-get install {Name}");
        results.Say($"{"",-12} ({Name} is missing: installed with apt-get, without its service)");
        await using ChildProcess install = ChildProcess.Start("sh", ["-c", Install]);
        int code = await install.WaitForExitAsync(s_installBound, CancellationToken.None);
        return Find(Name) ?? throw new MissingHere($"apt-get install {Name} ended with {code}: {install.Output.Split('\n')[^1]}");
    }

    /// <returns>The path of a program, or null.</returns>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}

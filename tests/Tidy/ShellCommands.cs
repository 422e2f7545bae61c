using System.Text;
using Statehouse.Testing;
using Xunit;

namespace Statehouse.Tidy;

/// <summary>Blocks of commands, run one after the other in one shell that stops at the first that fails.</summary>
internal sealed class ShellCommands(IEnumerable<string> blocks)
{
    private const string Marker = "@@ next block @@";

    public static bool HasCurl { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "curl")));

    /// <returns>What each block printed, in order.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(TimeSpan bound, CancellationToken cancellationToken)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("statehouse-commands-");
        try
        {
            AddCtl(folder);
            await using ChildProcess shell = ChildProcess.Start("bash", ["-euo", "pipefail", "-c", Script()], folder.FullName);
            int code = await shell.WaitForExitAsync(bound, cancellationToken);
            Assert.True(code == 0, $"The shell ended with {code} in the last of these blocks:\n{shell.Output}");
            return shell.Output.Split(Marker).Skip(1).Select(output => output.Trim()).ToList();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The CLI by its name, as somebody has it who put it on the PATH.</summary>
    private static void AddCtl(DirectoryInfo folder)
    {
        string ctl = Path.Combine(folder.CreateSubdirectory("bin").FullName, "statehousectl");
        File.WriteAllText(ctl, $"#!/bin/sh\nexec '{ChildProcess.DotnetHost}' '{Repository.BuiltDll("src/Cli", "statehousectl")}' \"$@\"\n");
    }

    private string Script()
    {
        var script = new StringBuilder("chmod +x bin/statehousectl\nPATH=\"$PWD/bin:$PATH\"\n");
        foreach (string block in blocks)
            script.Append("printf '\\n%s\\n' '").Append(Marker).Append("'\n").Append(block).Append('\n');
        return script.ToString();
    }
}

using System.ComponentModel;
using System.Diagnostics;

namespace Statehouse.LocalCluster;

/// <summary>Runs a program to its end.</summary>
internal static class OtherProgram
{
    /// <summary>The <c>dotnet</c> that runs this command.</summary>
    public static string Dotnet { get; } =
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";

    /// <summary>
    /// For bash: becomes the program in the arguments, without the files that whoever started us left open. A pipe or a
    /// lock among them would otherwise be held for as long as the cluster runs.
    /// </summary>
    public const string CloseAndRun = """
        for open in /proc/self/fd/*; do open=${open##*/}; [ "$open" -le 2 ] || eval "exec $open>&-"; done
        exec "$@"
        """;

    /// <param name="command">The program and its arguments.</param>
    /// <param name="user">Whom it runs as; null = as we do.</param>
    /// <param name="environment">Added to ours, from which all settings of Statehouse are taken out.</param>
    /// <param name="cancellationToken">Ends the program too.</param>
    /// <returns>Its exit code, and all that it printed.</returns>
    /// <exception cref="ClusterFailure">It cannot be started.</exception>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        IReadOnlyList<string> command, string? user, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            // Whoever it runs as may stand here.
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UserName = user,
        };
        SetEnvironment(start, environment);
        using Process process = Start(start);
        process.StandardInput.Close();
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Settings in our environment, say for a single server, must not reach the cluster's processes.</summary>
    public static void SetEnvironment(ProcessStartInfo start, IReadOnlyDictionary<string, string> added)
    {
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("STATEHOUSE_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach ((string name, string value) in added)
            start.Environment[name] = value;
    }

    /// <exception cref="ClusterFailure">There is no such program.</exception>
    public static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw new ClusterFailure($"{start.FileName} cannot be run: {error.Message}", inner: error);
        }
    }
}

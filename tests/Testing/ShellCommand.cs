using System.Diagnostics;

namespace Statehouse.Testing;

/// <summary>Runs a program to its end, within a bound.</summary>
public static class ShellCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>PostgreSQL refuses to run as root; then it runs as the user that its package created.</summary>
    public static IReadOnlyList<string> AsServerUser { get; } =
        Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows() ? ["runuser", "-u", ServerUser, "--"] : [];

    public const string ServerUser = "postgres";

    /// <exception cref="InvalidOperationException">It failed or took too long; the message holds what it printed.</exception>
    public static async Task RunAsync(params IReadOnlyList<string> command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        })!;
        using var patience = new CancellationTokenSource(Patience);
        Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token);
        Task<string> errors = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{command[0]} did not end within {Patience}.");
        }
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}: {await output} {await errors}");
    }
}

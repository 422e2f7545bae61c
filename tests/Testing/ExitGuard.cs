using System.Diagnostics;

namespace Statehouse.Testing;

/// <summary>
/// A shell that outlives this process just long enough to clean up. It waits on a pipe that the kernel closes whatever
/// way this process ends, kill -9 included.
/// </summary>
public sealed class ExitGuard : IDisposable
{
    private const string Wait = """
        trap '' INT TERM HUP
        cat > /dev/null

        """;

    private readonly TimeSpan _patience;
    private readonly Process _shell;

    /// <param name="script">For sh: what to do when the time has come.</param>
    /// <param name="arguments">The script's $1, $2, …</param>
    /// <param name="patience">How long <see cref="Dispose"/> waits for it.</param>
    public ExitGuard(string script, IEnumerable<string> arguments, TimeSpan patience)
    {
        _patience = patience;
        _shell = Process.Start(new ProcessStartInfo("sh", ["-c", Wait + script, "exit-guard", .. arguments])
        {
            RedirectStandardInput = true,
            WorkingDirectory = "/",
        })!;
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
    }

    /// <summary>Cleans up now.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        CleanUp();
        _shell.Dispose();
    }

    private void OnProcessExit(object? sender, EventArgs e) => CleanUp();

    private void CleanUp()
    {
        _shell.StandardInput.Close();
        _shell.WaitForExit(_patience);
    }
}

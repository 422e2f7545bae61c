using System.Diagnostics;

namespace Statehouse.Testing;

/// <summary>
/// A shell that outlives this process just long enough to stop a cluster and remove its folder. It waits on a pipe
/// that the kernel closes whatever way this process ends, kill -9 included.
/// </summary>
internal sealed class ClusterGuard : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>$1 the data folder, $2 the folder to remove, the rest: pg_ctl, perhaps under another user.</summary>
    private const string Script = """
        trap '' INT TERM HUP
        cat > /dev/null
        data=$1; folder=$2; shift 2
        "$@" -D "$data" -m immediate -t 10 stop > /dev/null 2>&1
        rm -rf -- "$folder"
        """;

    private readonly Process _shell;

    public ClusterGuard(string dataFolder, string folder, IReadOnlyList<string> pgCtl)
    {
        _shell = Process.Start(new ProcessStartInfo("sh", ["-c", Script, "cluster-guard", dataFolder, folder, .. pgCtl])
        {
            RedirectStandardInput = true,
            WorkingDirectory = "/",
        })!;
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
    }

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
        _shell.WaitForExit(Patience);
    }
}

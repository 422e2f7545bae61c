using System.Diagnostics;

namespace Statehouse.LocalCluster;

/// <summary>
/// A process that outlives this command and its terminal: in a session of its own, its standard input empty, its output
/// in files, and nothing else of ours open.
/// </summary>
internal sealed class DetachedProcess : IDisposable
{
    public const string OutputName = "stdout.txt";
    public const string ErrorsName = "stderr.txt";

    private const string BeforeIt = ".previous";

    // It waits for a line before it becomes the program: if this command is killed before the process is written
    // down, the line never comes, and no process is left that nobody knows.
    private const string Script = $"""
        read -r begin || exit 125
        umask 077
        exec </dev/null >{OutputName} 2>{ErrorsName}
        {OtherProgram.CloseAndRun}
        """;

    private readonly Process _process;

    private DetachedProcess(Process process, ProcessIdentity identity)
    {
        _process = process;
        Identity = identity;
    }

    public ProcessIdentity Identity { get; }

    /// <summary>Waits for its end.</summary>
    public async Task<int> ExitCodeAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    /// <summary>Makes the process, which does nothing before <see cref="Begin"/>.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="folder">Where it runs and its output goes; output of a run before is kept under another name.</param>
    /// <param name="environment">Added to ours, from which all settings of Statehouse are taken out.</param>
    public static DetachedProcess Create(IEnumerable<string> command, string folder, IReadOnlyDictionary<string, string> environment)
    {
        foreach (string name in (string[])[OutputName, ErrorsName])
        {
            string file = Path.Combine(folder, name);
            if (File.Exists(file))
                File.Move(file, Path.ChangeExtension(file, BeforeIt + ".txt"), overwrite: true);
        }
        // Not being the leader of a process group, setsid becomes the shell, and that the program: one process id.
        var start = new ProcessStartInfo("setsid", ["bash", "-c", Script, "statehouse-cluster", .. command])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        OtherProgram.SetEnvironment(start, environment);
        Process process = OtherProgram.Start(start);
        return new DetachedProcess(
            process,
            ProcessIdentity.Of(process.Id) ?? throw new ClusterFailure($"setsid and bash, which {command.First()} is started by, end at once."));
    }

    /// <summary>Lets it become the program.</summary>
    public void Begin()
    {
        _process.StandardInput.WriteLine("begin");
        _process.StandardInput.Close();
    }

    /// <summary>Lets go of it; it runs on.</summary>
    public void Dispose() => _process.Dispose();
}

using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Statehouse.Testing;

/// <summary>A real process whose output is kept. Ended for good when disposed.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;

    /// <summary>What is kept in memory of a process whose output goes to a file too.</summary>
    private const int LinesInMemoryMax = 2_000;

    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly Queue<string> _output = [];
    private StreamWriter? _file;
    private TaskCompletionSource _moreOutput = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProcess(Process process, string? outputFile)
    {
        _process = process;
        _file = outputFile is null ? null : new StreamWriter(outputFile, append: true) { AutoFlush = true };
    }

    /// <summary>Its process id, also after it has ended.</summary>
    public int Id { get; private set; }

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>
    /// Standard output and standard error so far, line by line as they came; of a process whose output goes to a file, the
    /// last 2,000 lines.
    /// </summary>
    public string Output
    {
        get
        {
            lock (_lock)
                return string.Join('\n', _output);
        }
    }

    /// <param name="program">Name or path.</param>
    /// <param name="arguments">Each as it is: no shell, no quoting.</param>
    /// <param name="workingFolder">null = this process's.</param>
    /// <param name="outputFile">What it prints is appended to this too; null = kept in memory only.</param>
    /// <param name="environment">Variables that it gets beside this process's own.</param>
    public static ChildProcess Start(
        string program,
        IEnumerable<string> arguments,
        string? workingFolder = null,
        string? outputFile = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingFolder ?? "",
        };
        // Settings of whoever runs the tests must not reach what is tested.
        foreach (string name in start.Environment.Keys.Where(n => n.StartsWith("STATEHOUSE_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var child = new ChildProcess(new Process { StartInfo = start }, outputFile);
        child._process.OutputDataReceived += child.Keep;
        child._process.ErrorDataReceived += child.Keep;
        child._process.Start();
        child.Id = child._process.Id;
        child._process.StandardInput.Close();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>A program built in this clone, run by the same <c>dotnet</c> as the tests.</summary>
    public static ChildProcess StartDotnet(
        string dll,
        IEnumerable<string> arguments,
        string? workingFolder = null,
        string? outputFile = null,
        IReadOnlyDictionary<string, string>? environment = null) =>
        Start(DotnetHost, [dll, .. arguments], workingFolder, outputFile, environment);

    /// <summary>The <c>dotnet</c> that runs this test.</summary>
    public static string DotnetHost =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";

    /// <summary>Waits until it has printed something.</summary>
    /// <exception cref="TimeoutException">It did not within the bound.</exception>
    /// <exception cref="InvalidOperationException">It ended without.</exception>
    public async Task<Match> WaitForOutputAsync(Regex wanted, TimeSpan bound, CancellationToken cancellationToken)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(bound);
        Task ended = _process.WaitForExitAsync(bounded.Token);
        while (true)
        {
            // Asked before the output is read: what comes after that completes it.
            Task more;
            lock (_lock)
                more = _moreOutput.Task;
            bool hasEnded = ended.IsCompletedSuccessfully;
            if (wanted.Match(Output) is { Success: true } match)
                return match;
            if (hasEnded)
                throw new InvalidOperationException($"Process {Id} ended with {ExitCode} and did not print {wanted}, but:\n{Output}");
            await Task.WhenAny(more, ended);
            if (bounded.IsCancellationRequested)
                throw new TimeoutException($"Process {Id} did not print {wanted} within {bound}, but:\n{Output}");
        }
    }

    /// <summary>Waits until it has ended and all its output is here.</summary>
    /// <exception cref="TimeoutException">Still running; says what it printed.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan bound, CancellationToken cancellationToken)
    {
        try
        {
            await _process.WaitForExitAsync(cancellationToken).WaitAsync(bound, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Process {Id} still runs after {bound}. It printed:\n{Output}");
        }
        return _process.ExitCode;
    }

    /// <summary><c>kill -9</c>; returns when it is gone.</summary>
    public async Task KillAsync()
    {
        try
        {
            _process.Kill();
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception)
        {
            // It has ended by itself: what was wanted.
        }
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>SIGTERM; returns its exit code.</summary>
    /// <exception cref="TimeoutException">It did not end within the bound.</exception>
    public Task<int> TerminateAsync(TimeSpan bound, CancellationToken cancellationToken)
    {
        Signal(SigTerm);
        return WaitForExitAsync(bound, cancellationToken);
    }

    /// <summary>Sends a signal by its number, for instance 19, SIGSTOP. Does nothing where the process has ended.</summary>
    public void Signal(int number)
    {
        if (!HasExited && kill(Id, number) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>SIGSTOP: it stands still until <see cref="Resume"/>; it can still be killed.</summary>
    public void Pause() => Signal(SigStop);

    public void Resume() => Signal(SigCont);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
        lock (_lock)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        TaskCompletionSource more;
        lock (_lock)
        {
            _output.Enqueue(line.Data);
            _file?.WriteLine(line.Data);
            if (_file is not null && _output.Count > LinesInMemoryMax)
                _output.Dequeue();
            more = _moreOutput;
            _moreOutput = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        more.SetResult();
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int processId, int signal);
}

namespace Statehouse.LocalCluster;

/// <summary>A silo or gateway from its start until it is ready.</summary>
/// <param name="process">Its state when it began.</param>
/// <param name="detached">Itself.</param>
/// <param name="folder">Where its output is.</param>
internal sealed class StartingProcess(ProcessState process, DetachedProcess detached, string folder) : IDisposable
{
    private const string ReadyLine = "ready";

    private static readonly TimeSpan PollDelay = TimeSpan.FromMilliseconds(50);

    public ProcessState Process { get; } = process;

    private string Output => Path.Combine(folder, DetachedProcess.OutputName);

    /// <summary>Waits until it has said that it serves, and its readiness check agrees.</summary>
    /// <param name="readiness">Asks.</param>
    /// <param name="ending">Gives up.</param>
    /// <exception cref="ClusterFailure">It ended, or was given up on; says the last that it printed.</exception>
    public async Task WaitUntilReadyAsync(ReadinessProbe readiness, CancellationToken ending)
    {
        string missing = "has not said that it is ready";
        try
        {
            while (true)
            {
                if (!detached.Identity.IsAlive)
                    throw Failure($"ended{await ExitCodeAsync(ending)} before it was ready");
                if (SaidReady())
                {
                    if (await readiness.WhyNotAsync(Process, ending) is not { } answer)
                        return;
                    missing = $"is not ready: {Process.Http}/readyz: {answer}";
                }
                await Task.Delay(PollDelay, ending);
            }
        }
        catch (OperationCanceledException error)
        {
            throw Failure($"{missing} (waited until the bound)", error);
        }
    }

    public void Dispose() => detached.Dispose();

    /// <summary>Only a line that ends counts.</summary>
    private bool SaidReady() => File.Exists(Output) && File.ReadAllText(Output).Split('\n').SkipLast(1).Contains(ReadyLine);

    /// <summary>The kernel says that it ended before our runtime has fetched its exit code.</summary>
    private async Task<string> ExitCodeAsync(CancellationToken ending) => $" with exit code {await detached.ExitCodeAsync(ending)}";

    private ClusterFailure Failure(string what, Exception? inner = null) => new(
        $"{Process} (process {detached.Identity.Pid}) {what}; it runs in {folder}"
        + LogTail.Of(Output, Path.Combine(folder, DetachedProcess.ErrorsName)),
        inner: inner);
}

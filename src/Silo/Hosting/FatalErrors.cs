namespace Statehouse.Silo;

/// <summary>
/// Hears from Orleans that a silo cannot go on, mostly because the others declared it dead. While it starts, that attempt
/// has failed; afterwards the process ends at once, with 1: its agents are being activated elsewhere.
/// </summary>
internal sealed class FatalErrors(SiloLog log) : IFatalErrorHandler, IDisposable
{
    private readonly CancellationTokenSource _startFailed = new();
    private volatile bool _started;

    /// <summary>Cancelled where the silo failed before <see cref="OnStarted"/>.</summary>
    public CancellationToken StartFailed => _startFailed.Token;

    /// <exception cref="OperationCanceledException">It failed in the last moment.</exception>
    public void OnStarted()
    {
        _started = true;
        _startFailed.Token.ThrowIfCancellationRequested();
    }

    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        log.Fatal(context ?? sender?.ToString() ?? "unknown", exception);
        _startFailed.Cancel();
        // What was acknowledged is durable, so nothing is lost; what is in flight cannot be answered by a silo that is out.
        if (_started)
            Environment.Exit(1);
    }

    public void Dispose() => _startFailed.Dispose();
}

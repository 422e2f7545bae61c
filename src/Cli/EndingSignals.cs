using System.Runtime.InteropServices;

namespace Statehouse.Cli;

/// <summary>
/// Turns the first SIGINT or SIGTERM into a cancellation, so that a command ends between two lines and leaves no half
/// file; a second one ends the process at once.
/// </summary>
internal sealed class EndingSignals : IDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    public EndingSignals()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => OnSignal(signal, 2));
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => OnSignal(signal, 15));
    }

    public CancellationToken Ending => _ending.Token;

    /// <summary>null where no signal came.</summary>
    public int? ExitCode { get; private set; }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _ending.Dispose();
    }

    private void OnSignal(PosixSignalContext signal, int number)
    {
        if (ExitCode is not null)
            return;
        signal.Cancel = true;
        ExitCode = Cli.ExitCode.SignalBase + number;
        _ending.Cancel();
    }
}

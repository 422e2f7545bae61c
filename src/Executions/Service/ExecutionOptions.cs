using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>How a server runs executions, all of them alike.</summary>
public sealed record ExecutionOptions
{
    /// <summary>Buffered checkpoints that are written as soon as so many wait. Default 100.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>How long a buffered checkpoint waits at most. Default 100 ms.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Bytes of buffered states; more get SH-2003. Default 64 MiB.</summary>
    public long BufferedBytesMax { get; init; } = 64L << 20;

    /// <summary>Executions whose last view is kept. Default 20,000.</summary>
    public int KnownMax { get; init; } = 20_000;

    /// <summary>How often a write is decided again after another one was first, before SH-1001. Default 16.</summary>
    public int DecideAttemptsMax { get; init; } = 16;

    /// <summary>Told when this process comes to a <see cref="CrashPoint"/>; fault tests end it there. Default null: nobody.</summary>
    public Action<CrashPoint>? OnCrashPoint { get; init; }
}

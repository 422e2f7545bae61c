using System.Runtime.InteropServices;
using System.Text;
using Statehouse.Journal;

namespace Statehouse.Faults.Serving;

/// <summary>Writes down the crash points that this process comes to, one name per line, and ends it at one of them.</summary>
internal sealed class CrashWatch : IDisposable
{
    private const int SigKill = 9;

    private readonly Lock _lock = new();
    private readonly CrashPoint? _at;
    private readonly int _occurrence;
    private readonly FileStream? _trace;
    private int _reached;

    /// <param name="at">Where to die; null = nowhere.</param>
    /// <param name="occurrence">1 = the first time that it is reached.</param>
    /// <param name="traceFile">Appended to; null = nothing is written down.</param>
    public CrashWatch(CrashPoint? at, int occurrence, string? traceFile)
    {
        _at = at;
        _occurrence = occurrence;
        // Unbuffered: what was written outlives a kill -9.
        _trace = traceFile is null ? null : new FileStream(traceFile, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    }

    /// <summary>Under one lock, so that nothing is written down behind the point that the process dies at.</summary>
    public void OnReached(CrashPoint point)
    {
        lock (_lock)
        {
            _trace?.Write(Encoding.ASCII.GetBytes($"{point}\n"));
            if (point == _at && ++_reached == _occurrence)
                Die();
        }
    }

    public void Dispose() => _trace?.Dispose();

    /// <summary>As by <c>kill -9</c> from outside: no finally runs, no file is flushed, no peer is told.</summary>
    private static void Die()
    {
        if (kill(Environment.ProcessId, SigKill) != 0)
            throw new InvalidOperationException($"This process could not kill itself: errno {Marshal.GetLastPInvokeError()}.");
        // The signal ends all threads, this one before it could do anything more.
        new ManualResetEventSlim().Wait();
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int processId, int signal);
}

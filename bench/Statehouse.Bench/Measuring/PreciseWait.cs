using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Statehouse.Bench.Measuring;

/// <summary>
/// Waits on the calling thread to well below a millisecond, without using the processor: timers of .NET are too coarse to
/// send requests at the moments that an open loop sets.
/// </summary>
internal static class PreciseWait
{
    private const int Interrupted = 4;

    /// <param name="timestamp">Of <see cref="Stopwatch"/>.</param>
    public static void Until(long timestamp)
    {
        for (long left; (left = timestamp - Stopwatch.GetTimestamp()) > 0;)
        {
            var wanted = new TimeSpec { Seconds = left / Stopwatch.Frequency, Nanoseconds = left % Stopwatch.Frequency * 1_000_000_000 / Stopwatch.Frequency };
            if (nanosleep(in wanted, 0) != 0 && Marshal.GetLastPInvokeError() is not Interrupted and int error)
                throw new Win32Exception(error);
        }
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int nanosleep(in TimeSpec wanted, nint left);

    /// <summary>As C has it on 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}

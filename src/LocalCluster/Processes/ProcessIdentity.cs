using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Statehouse.LocalCluster;

/// <summary>
/// One process of this machine. Its id alone would not do: ids are used again, and after a restart of the machine even
/// the start times may meet.
/// </summary>
/// <param name="Pid">Its id.</param>
/// <param name="StartTicks">When it started, in clock ticks since the machine did: field 22 of <c>/proc/PID/stat</c>.</param>
/// <param name="BootId">Which start of the machine: <c>/proc/sys/kernel/random/boot_id</c>.</param>
internal sealed record ProcessIdentity(int Pid, long StartTicks, string BootId)
{
    private const int NoSuchProcess = 3;

    private static readonly TimeSpan PollDelay = TimeSpan.FromMilliseconds(20);
    private static readonly Lazy<string> s_bootId = new(() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());

    /// <summary>False also for one that has ended and that nobody has waited for yet.</summary>
    public bool IsAlive => BootId == s_bootId.Value && Stat(Pid) is { IsDead: false } now && now.StartTicks == StartTicks;

    /// <returns>null where there is no such process.</returns>
    public static ProcessIdentity? Of(int pid) =>
        Stat(pid) is { IsDead: false } now ? new ProcessIdentity(pid, now.StartTicks, s_bootId.Value) : null;

    /// <summary>Sends a signal to this very process; to nobody where it has ended.</summary>
    /// <exception cref="ClusterFailure">It is somebody else's.</exception>
    public void Send(EndingSignal signal)
    {
        if (!IsAlive || kill(Pid, (int)signal) == 0 || Marshal.GetLastPInvokeError() == NoSuchProcess)
            return;
        throw new ClusterFailure($"process {Pid} cannot be signalled: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
    }

    /// <returns>False where it still runs when the bound is over.</returns>
    public async Task<bool> HasEndedWithinAsync(TimeSpan bound, CancellationToken cancellationToken)
    {
        long deadline = Environment.TickCount64 + (long)bound.TotalMilliseconds;
        while (IsAlive)
        {
            if (Environment.TickCount64 >= deadline)
                return false;
            await Task.Delay(PollDelay, cancellationToken);
        }
        return true;
    }

    private static (bool IsDead, long StartTicks)? Stat(int pid)
    {
        string text;
        try
        {
            text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        }
        catch (IOException)
        {
            // No such process, or it ended between opening and reading.
            return null;
        }
        // The second field is the program's name in parentheses, which may hold spaces and parentheses itself.
        string[] fromThird = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (fromThird[0] is "Z" or "X", long.Parse(fromThird[22 - 3], CultureInfo.InvariantCulture));
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int processId, int signal);
}

internal enum EndingSignal
{
    Kill = 9,
    Terminate = 15,
}

using System.Globalization;

namespace Statehouse.Faults.Serving;

/// <summary>
/// Wall-clock time that jumps as a file says: a signed number of milliseconds that is added. Timestamps and timers, which
/// come from a monotonic clock, do not jump, as on a real machine.
/// </summary>
/// <param name="file">Looked at again after 50 ms; where it is missing or holds no number, the last offset stays. Replace it by a rename.</param>
internal sealed class MovedClock(string file) : TimeProvider
{
    private const long LookEveryMs = 50;

    private readonly Lock _lock = new();
    private TimeSpan _offset;
    private long _lookedAtMs = long.MinValue / 2;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            if (Environment.TickCount64 - _lookedAtMs >= LookEveryMs)
                Look();
            return base.GetUtcNow() + _offset;
        }
    }

    private void Look()
    {
        _lookedAtMs = Environment.TickCount64;
        if (File.Exists(file) && long.TryParse(File.ReadAllText(file), NumberStyles.AllowLeadingSign | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out long ms))
            _offset = TimeSpan.FromMilliseconds(ms);
    }
}

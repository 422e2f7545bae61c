using System.Globalization;

namespace Statehouse.Bench.Measuring;

/// <param name="Id">Process id.</param>
/// <param name="IsDatabase">A database server, with a process per session: its children count too.</param>
internal readonly record struct WatchedProcess(int Id, bool IsDatabase = false);

/// <summary>What a process has used, from Linux' /proc.</summary>
internal static class ProcessWatch
{
    // USER_HZ: 100 on every architecture that Linux reports these fields for.
    private const double TicksPerSecond = 100;

    /// <summary>Seconds of processor time, user and system, over all its threads.</summary>
    public static double CpuSeconds(WatchedProcess process)
    {
        if (!process.IsDatabase)
            return Ticks(process.Id, withEnded: false)!.Value / TicksPerSecond;
        // Sessions that have ended by now are in their parent's account of ended children.
        string parent = process.Id.ToString(CultureInfo.InvariantCulture);
        double ticks = Ticks(process.Id, withEnded: true)!.Value;
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int id) && Fields(id) is { } fields && fields[1] == parent)
                ticks += Ticks(id, withEnded: true) ?? 0;
        }
        return ticks / TicksPerSecond;
    }

    /// <summary>Bytes of memory that it has now.</summary>
    public static long ResidentBytes(int id) => StatusBytes(id, "VmRSS:");

    /// <summary>The most bytes of memory that it had since <see cref="ForgetPeak"/>.</summary>
    public static long PeakBytes(int id) => StatusBytes(id, "VmHWM:");

    /// <summary>Lets the peak start anew from what it has now.</summary>
    public static void ForgetPeak(int id) => File.WriteAllText($"/proc/{id}/clear_refs", "5");

    private static double? Ticks(int id, bool withEnded)
    {
        // Behind the name, from the state on: utime, stime, cutime and cstime are fields 14 to 17 of the whole.
        if (Fields(id) is not { } fields)
            return null;
        return fields[11..(withEnded ? 15 : 13)].Sum(field => double.Parse(field, CultureInfo.InvariantCulture));
    }

    /// <returns>null where there is no such process any more.</returns>
    private static string[]? Fields(int id)
    {
        try
        {
            string text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or IOException)
        {
            return null;
        }
    }

    private static long StatusBytes(int id, string name)
    {
        string line = File.ReadLines($"/proc/{id}/status").First(each => each.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
    }
}

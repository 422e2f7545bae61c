using System.Globalization;

namespace Statehouse.LocalCluster;

/// <summary>A PostgreSQL server that runs on a data folder.</summary>
/// <param name="Process">Its first process.</param>
/// <param name="Port">Where it listens.</param>
internal sealed record RunningServer(ProcessIdentity Process, int Port)
{
    /// <summary>Lines of <c>postmaster.pid</c>, from 0: the process id, the data folder, the start time, the port.</summary>
    private const int PortLine = 3;

    public static string FileOf(string dataFolder) => Path.Combine(dataFolder, "postmaster.pid");

    /// <summary>Asks the machine, not what an earlier command wrote down: also a server counts that nobody wrote down.</summary>
    /// <returns>null where none runs, or where it is only just starting.</returns>
    public static RunningServer? Of(string dataFolder)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(FileOf(dataFolder));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        bool isWhole = lines.Length > PortLine;
        if (!isWhole
            || !int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
            || !int.TryParse(lines[PortLine], NumberStyles.None, CultureInfo.InvariantCulture, out int port))
        {
            return null;
        }
        // Identity first: where the id goes to another process in between, the command line is that one's.
        return ProcessIdentity.Of(pid) is { } process && Serves(pid, dataFolder) ? new RunningServer(process, port) : null;
    }

    /// <summary>After a crash the file still stands, and its process id may belong to anybody.</summary>
    private static bool Serves(int pid, string dataFolder)
    {
        try
        {
            string[] commandLine = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cmdline")).Split('\0');
            return commandLine.Contains(dataFolder);
        }
        catch (IOException)
        {
            // It has ended by now.
            return false;
        }
    }
}

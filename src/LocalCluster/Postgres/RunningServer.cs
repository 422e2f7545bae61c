using System.Globalization;
using System.Text;

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

    /// <summary>
    /// Tells PostgreSQL what <see cref="Of"/> knows: that the process in the file is no server of this data. PostgreSQL
    /// itself only sees whether there is a process of that id, and would not start beside somebody else's, or beside its own
    /// that was killed and that nobody has waited for, as in a container whose first process waits for nobody.
    /// </summary>
    /// <remarks>
    /// It takes a file with the id of the process that runs pg_ctl for a leftover. The file is not deleted: PostgreSQL still
    /// finds in it whether sessions of the killed server are alive, and refuses to start then.
    /// </remarks>
    public static void DisownFile(string dataFolder)
    {
        string file = FileOf(dataFolder);
        if (!File.Exists(file) || File.ReadAllLines(file) is not { Length: > PortLine } lines)
            return;
        lines[0] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        // In its place and in one piece: it must stay PostgreSQL's own file, and never be seen empty.
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Write);
        stream.Write(Encoding.UTF8.GetBytes(string.Join('\n', lines) + '\n'));
        stream.Flush();
        stream.SetLength(stream.Position);
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

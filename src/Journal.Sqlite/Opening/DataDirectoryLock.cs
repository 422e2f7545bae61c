using System.Globalization;

namespace Statehouse.Journal.Sqlite.Opening;

/// <summary>
/// Holds a data directory for this process until disposed; a crash lets go of it, too. The file's first line is the
/// holder's process id.
/// </summary>
/// <remarks>
/// Whoever wants the directory takes the file alone, writes its name in, lets go, takes it again shared (so that others
/// can read who it is), and looks whether its own name is still in it. A name is only ever written by one who holds the
/// file alone, which nobody can once somebody holds it shared: so of all who try, at most one finds its own name, and
/// nobody can change that name while it holds on. (File locks of .NET: <see cref="FileShare.None"/> is an exclusive
/// flock, <see cref="FileShare.Read"/> a shared one.)
/// </remarks>
internal sealed class DataDirectoryLock : IDisposable
{
    private readonly FileStream _held;

    private DataDirectoryLock(FileStream held) => _held = held;

    /// <exception cref="JournalOpenException">Another process holds the directory, or it cannot be written.</exception>
    public static DataDirectoryLock Acquire(DataDirectory directory)
    {
        string self = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n{Guid.NewGuid():n}\n");
        FileStream? held = null;
        try
        {
            WriteAlone(directory.LockFile, self);
            held = new FileStream(directory.LockFile, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (ReadAll(held) == self)
                return new DataDirectoryLock(held);
        }
        catch (UnauthorizedAccessException error)
        {
            throw NotWritable(directory, error);
        }
        catch (IOException error) when (!IsSharingViolation(error))
        {
            throw NotWritable(directory, error);
        }
        catch (IOException)
        {
            // Somebody else holds the file; who, is told below.
        }
        held?.Dispose();
        throw new JournalOpenException(
            $"The data directory {directory.Root} is in use by {HolderOf(directory.LockFile)}; stop it, or choose another directory.");
    }

    public void Dispose() => _held.Dispose();

    private static void WriteAlone(string path, string text)
    {
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        file.SetLength(0);
        using var writer = new StreamWriter(file);
        writer.Write(text);
    }

    private static string HolderOf(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            string pid = ReadAll(file).Split('\n')[0];
            return pid.Length > 0 ? $"process {pid}" : "another process";
        }
        catch (IOException)
        {
            // It is taking the directory just now.
            return "another process that is starting";
        }
    }

    private static string ReadAll(FileStream file)
    {
        file.Position = 0;
        using var reader = new StreamReader(file, leaveOpen: true);
        return reader.ReadToEnd();
    }

    private static JournalOpenException NotWritable(DataDirectory directory, Exception error) =>
        new($"The data directory {directory.Root} cannot be written: {error.Message}", error);

    /// <summary>EWOULDBLOCK of flock, or the sharing violation of Windows: both without a more telling type.</summary>
    private static bool IsSharingViolation(IOException error)
    {
        const int WindowsSharingViolation = unchecked((int)0x80070020);
        const int LinuxWouldBlock = 11;
        const int MacWouldBlock = 35;
        return error.HResult is WindowsSharingViolation or LinuxWouldBlock or MacWouldBlock;
    }
}

using System.Globalization;

namespace Statehouse.LocalCluster;

/// <summary>
/// Keeps a cluster's folder to one changing command at a time. The kernel lets go of it when the process ends, in
/// whatever way; processes of the cluster do not inherit it.
/// </summary>
/// <remarks>
/// File locks of .NET: <see cref="FileShare.None"/> is an exclusive flock. Nobody could then read the holder's id in the
/// same file, so it stands in one beside it.
/// </remarks>
internal sealed class FolderLock : IDisposable
{
    /// <summary>EWOULDBLOCK of flock.</summary>
    private const int WouldBlock = 11;

    private readonly FileStream _held;

    private FolderLock(FileStream held) => _held = held;

    /// <exception cref="ClusterFailure">Another command holds it; says which process.</exception>
    public static FolderLock Take(ClusterFolder folder)
    {
        FileStream held;
        try
        {
            held = new FileStream(folder.LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (error.HResult == WouldBlock)
        {
            throw new ClusterFailure($"{folder.Root} is in use by another cluster command{Holder(folder.LockFile)}.", inner: error);
        }
        File.WriteAllText(HolderFile(folder.LockFile), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return new FolderLock(held);
    }

    /// <summary>By its holder, whose hold ends when it is disposed of.</summary>
    public static void Delete(string lockFile)
    {
        File.Delete(HolderFile(lockFile));
        File.Delete(lockFile);
    }

    public void Dispose() => _held.Dispose();

    private static string HolderFile(string lockFile) => lockFile + ".holder";

    /// <summary>Empty where the holder has not written itself down yet.</summary>
    private static string Holder(string lockFile)
    {
        string file = HolderFile(lockFile);
        return File.Exists(file)
            && int.TryParse(File.ReadAllText(file), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
            && ProcessIdentity.Of(pid) is not null
            ? $" (process {pid})"
            : "";
    }
}

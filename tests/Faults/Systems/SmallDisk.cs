using System.Globalization;
using Statehouse.Testing;

namespace Statehouse.Faults.Systems;

/// <summary>
/// A tmpfs that can be made full in a moment: it shrinks to what is in it. Shrinking instead of a filler file, so that a full
/// disk takes no memory.
/// </summary>
internal sealed class SmallDisk
{
    private const string Size = "4g";
    private const int TriesMax = 20;

    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    /// <summary>Why there can be none here; null where there can.</summary>
    public static string? Unavailable { get; } = FindOut();

    /// <summary>Mounts one; whoever calls sees to it that it is unmounted.</summary>
    public static async Task<SmallDisk> MountAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={Size},mode=0700", "statehouse-faults", folder);
        return new SmallDisk(folder);
    }

    /// <summary>No byte fits any more.</summary>
    /// <returns>How many bytes are in it.</returns>
    public async Task<long> FillAsync()
    {
        for (int tries = 1; ; tries++)
        {
            var drive = new DriveInfo(_folder);
            long used = drive.TotalSize - drive.TotalFreeSpace;
            try
            {
                await RunAsync("mount", "-o", string.Create(CultureInfo.InvariantCulture, $"remount,size={used}"), _folder);
                return used;
            }
            catch (InvalidOperationException) when (tries < TriesMax)
            {
                // More was written in between: a tmpfs does not shrink below what it holds.
            }
        }
    }

    public Task EmptyAsync() => RunAsync("mount", "-o", $"remount,size={Size}", _folder);

    public static Task UnmountAsync(string folder) => RunAsync("umount", "-l", folder);

    private static string? FindOut()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return "it needs root, to mount a tmpfs";
        string folder = Directory.CreateTempSubdirectory("statehouse-mount-").FullName;
        try
        {
            RunAsync("mount", "-t", "tmpfs", "-o", "size=64k", "statehouse-faults", folder).GetAwaiter().GetResult();
            RunAsync("umount", folder).GetAwaiter().GetResult();
            return null;
        }
        catch (InvalidOperationException error)
        {
            return "a tmpfs cannot be mounted here: " + error.Message;
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    private static Task RunAsync(params IReadOnlyList<string> command) => ShellCommand.RunAsync(command);
}

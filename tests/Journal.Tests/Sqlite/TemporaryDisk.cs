using System.Diagnostics;

namespace Statehouse.Journal.Tests;

/// <summary>A small file system in memory: to be full or read-only for a test. Mounting needs root and Linux.</summary>
internal sealed class TemporaryDisk : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private TemporaryDisk()
    {
    }

    public string Path => _directory.Path;

    /// <summary>Skips the running test where nothing may be mounted.</summary>
    public static async Task<TemporaryDisk> MountOrSkipAsync(int megabytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Mounting a small disk needs Linux and root.");
        var disk = new TemporaryDisk();
        string? refusal = await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "statehouse-test", disk.Path);
        if (refusal is not null)
            disk._directory.Dispose();
        Assert.SkipWhen(refusal is not null, $"Mounting a small disk is not allowed here: {refusal}");
        return disk;
    }

    /// <param name="mode"><c>ro</c> or <c>rw</c>.</param>
    public async Task RemountAsync(string mode) => Assert.Null(await RunAsync("mount", "-o", $"remount,{mode}", Path));

    /// <summary>Takes all the room that is left, until the file returned is deleted.</summary>
    public FileInfo Fill()
    {
        var filler = new FileInfo(System.IO.Path.Combine(Path, "filler"));
        using FileStream file = filler.Open(FileMode.Create);
        byte[] page = new byte[4096];
        try
        {
            while (true)
            {
                file.Write(page);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // Full: what was wanted.
        }
        return filler;
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Null(await RunAsync("umount", Path));
        _directory.Dispose();
    }

    /// <returns>null where it went well; else what it said.</returns>
    private static async Task<string?> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string errors = await process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode == 0 ? null : errors.Trim();
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using Statehouse.Testing;

namespace Statehouse.Bench.Measuring;

/// <summary>Where figures come from: without it they say nothing.</summary>
internal static class Machine
{
    private const int FlushesMeasured = 100;
    private const int PageBytes = 4096;

    public static async Task DescribeAsync(Results results, BenchOptions options, string folder)
    {
        string model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown processor";
        long memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        results.SayFact($"machine      {Environment.ProcessorCount} × {model}, {memory / 1e9:n1} GB, {RuntimeInformation.OSDescription}, load {await LoadAsync()} before the run");
        results.SayFact($"versions     Statehouse {await RevisionAsync()}, {RuntimeInformation.FrameworkDescription}, {(System.Runtime.GCSettings.IsServerGC ? "server" : "workstation")} GC");
        DriveInfo disk = new(folder);
        results.SayFact($"disk         {disk.DriveFormat} under {Path.GetTempPath()}; {MeasureFlush(folder)}");
        if (disk.DriveFormat is "tmpfs" or "ramfs" && !options.IsQuick)
            throw new BenchFailure($"Temporary files are kept in memory ({disk.DriveFormat}): nothing written there is durable. Set TMPDIR to a folder on a disk.");
        results.SayFact($"seed         {options.Seed}");
    }

    /// <summary>What one flush costs here bounds what any store can do that makes each commit durable.</summary>
    private static string MeasureFlush(string folder)
    {
        var latencies = new LatencyHistogram();
        byte[] page = new byte[PageBytes];
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(
            Path.Combine(folder, "flush"), FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.DeleteOnClose);
        for (int i = 0; i < FlushesMeasured; i++)
        {
            long began = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, page, (long)i * PageBytes);
            RandomAccess.FlushToDisk(file);
            latencies.Record(Stopwatch.GetTimestamp() - began);
        }
        return $"4 KB and a flush: p50 {Results.Number(latencies.Milliseconds(50))}, p99 {Results.Number(latencies.Milliseconds(99))} ms";
    }

    private static async Task<string> LoadAsync() => (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0];

    /// <returns>The clone's commit, and whether files differ from it.</returns>
    private static async Task<string> RevisionAsync()
    {
        try
        {
            await using ChildProcess git = ChildProcess.Start("git", ["-C", Repository.Root, "describe", "--always", "--dirty"]);
            int code = await git.WaitForExitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
            return code == 0 ? git.Output.Trim() : "of no known commit";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "of no known commit (git is not installed)";
        }
    }
}

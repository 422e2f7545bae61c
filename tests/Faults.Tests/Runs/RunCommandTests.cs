using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Statehouse.Faults.Tests.Runs;

/// <summary>The harness as a process.</summary>
public sealed partial class RunCommandTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    private static string Dll => Repository.BuiltDll("tests/Faults", "Statehouse.Faults");

    [Fact]
    public async Task A_clean_run_reports_exits_with_0_and_leaves_nothing_behind()
    {
        string report = Path.GetTempFileName();
        await using ChildProcess run = ChildProcess.StartDotnet(
            Dll, ["run", "--config", "sqlite", "--minutes", "0.1", "--seed", "5", "--faults", "none", "--clients", "1", "--report", report]);
        Assert.True(await run.WaitForExitAsync(Bound, TestContext.Current.CancellationToken) == 0, run.Output);
        string text = await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken);
        File.Delete(report);
        Assert.Contains("**Clean.**", text, StringComparison.Ordinal);
        Assert.Contains("--config sqlite --seed 5 --minutes 0.1", text, StringComparison.Ordinal);
        Assert.DoesNotContain("| kept |", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kept_history_is_checked_again()
    {
        await using ChildProcess run = ChildProcess.StartDotnet(
            Dll, ["run", "--config", "sqlite", "--minutes", "0.1", "--seed", "5", "--faults", "kill-server", "--clients", "1", "--keep"]);
        Assert.True(await run.WaitForExitAsync(Bound, TestContext.Current.CancellationToken) == 0, run.Output);
        string folder = KeptFolder().Match(run.Output).Groups[1].Value;
        await using ChildProcess check = ChildProcess.StartDotnet(Dll, ["check", Path.Combine(folder, "history.jsonl")]);
        Assert.True(await check.WaitForExitAsync(Bound, TestContext.Current.CancellationToken) == 0, check.Output);
        Assert.Contains("linearizable", check.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder, "server-1.log")));
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("run --config nonsense")]
    [InlineData("run --config sqlite --nonsense")]
    [InlineData("run --config sqlite --faults nonsense")]
    [InlineData("run --config sqlite --workloads nonsense")]
    [InlineData("run --config sqlite --minutes 0")]
    [InlineData("check nonsense")]
    [InlineData("nonsense")]
    public async Task Wrong_usage_exits_with_2_and_one_line(string arguments)
    {
        await using ChildProcess run = ChildProcess.StartDotnet(Dll, arguments.Split(' '));
        Assert.Equal(2, await run.WaitForExitAsync(Bound, TestContext.Current.CancellationToken));
        Assert.DoesNotContain('\n', run.Output);
        Assert.StartsWith("statehouse faults: ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_schedule_is_printed_and_the_same_each_time()
    {
        string[] arguments = ["run", "--config", "sqlite", "--minutes", "2", "--seed", "5", "--list"];
        await using ChildProcess one = ChildProcess.StartDotnet(Dll, arguments);
        await using ChildProcess other = ChildProcess.StartDotnet(Dll, arguments);
        Assert.Equal(0, await one.WaitForExitAsync(Bound, TestContext.Current.CancellationToken));
        Assert.Equal(0, await other.WaitForExitAsync(Bound, TestContext.Current.CancellationToken));
        Assert.Contains(" for ", one.Output, StringComparison.Ordinal);
        Assert.Equal(one.Output, other.Output);
    }

    [Fact]
    public async Task When_the_harness_is_killed_its_servers_and_mounts_go_too()
    {
        await using ChildProcess run = ChildProcess.StartDotnet(
            Dll, ["run", "--config", "sqlite", "--minutes", "5", "--seed", "5", "--faults", "disk-full", "--clients", "1"]);
        await run.WaitForOutputAsync(ClientsLine(), Bound, TestContext.Current.CancellationToken);
        int server = ChildOf(run.Id);
        string folder = (await File.ReadAllTextAsync($"/proc/{server}/cmdline", TestContext.Current.CancellationToken)).Split('\0').Single(part => part.EndsWith("/data", StringComparison.Ordinal));

        await run.KillAsync();

        long began = Stopwatch.GetTimestamp();
        while (Directory.Exists($"/proc/{server}") || (await File.ReadAllTextAsync("/proc/mounts", TestContext.Current.CancellationToken)).Contains(folder, StringComparison.Ordinal))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20), $"Server {server} or its mount {folder} outlived the harness.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
    }

    /// <summary>The .NET process that another one started: its server.</summary>
    private static int ChildOf(int parent) =>
        (from folder in Directory.GetDirectories("/proc")
         let id = int.TryParse(Path.GetFileName(folder), out int number) ? number : 0
         where id > 0 && Status(id).Contains($"\nPPid:\t{parent}\n", StringComparison.Ordinal) && Status(id).Contains("dotnet", StringComparison.Ordinal)
         select id).Single();

    private static string Status(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/status");
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return "";
        }
    }

    [GeneratedRegex("are kept in (.*)$", RegexOptions.Multiline)]
    private static partial Regex KeptFolder();

    [GeneratedRegex("clients, .* faults planned")]
    private static partial Regex ClientsLine();
}

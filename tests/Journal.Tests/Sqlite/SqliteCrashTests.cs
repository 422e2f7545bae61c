using System.Globalization;
using System.Text.RegularExpressions;
using Statehouse.Journal.Sqlite;
using Statehouse.Testing;

namespace Statehouse.Journal.Tests;

/// <summary>The process is killed while it writes; what it had acknowledged must be there, and nothing of a batch but all of it.</summary>
public sealed partial class SqliteCrashTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Killed_in_mid_write_again_and_again_every_acknowledged_commit_is_there_and_the_chains_verify()
    {
        for (int round = 1; round <= 4; round++)
        {
            long[] acknowledged = await AppendAndKillAsync(acknowledgements: 40 * round);
            await using SqliteJournalStore store = await OpenAsync();
            await AssertAllThereAsync(store, acknowledged);
            Assert.Empty(await store.CheckAsync(Cancellation));
        }
    }

    [Fact]
    public async Task A_killed_process_leaves_no_lock_behind()
    {
        await AppendAndKillAsync(acknowledgements: 1);

        await using SqliteJournalStore store = await OpenAsync();
        await store.PingAsync(Cancellation);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_commit_whose_fsync_fails_is_in_doubt_until_the_write_ahead_file_is_emptied_and_then_never_surfaces(int failures)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "Making fsync fail needs strace.");
        await AppendAndKillAsync(acknowledgements: 1);
        // strace counts per thread: the first fsyncs of opening an existing journal are fewer than this.
        string inject = string.Create(CultureInfo.InvariantCulture, $"inject=fsync,fdatasync:error=EIO:when=8..{7 + failures}");
        await using ChildProcess child = ChildProcess.Start(
            "/usr/bin/strace",
            ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", inject,
                DotnetHost, typeof(AppendUntilKilled).Assembly.Location, .. ChildArguments(acknowledgements: 30)]);

        Assert.Equal(0, await child.WaitForExitAsync(Patience, Cancellation));
        string[] faults = [.. child.Output.Split('\n').Where(line => line.StartsWith("fault", StringComparison.Ordinal))];
        Assert.Equal("fault OutcomeUnknown", faults[0]);
        // One failure: settled at once. More: the first attempts to settle fail, too, and the journal refuses meanwhile.
        Assert.Equal(failures > 1, faults.Contains("fault JournalUnavailable"));
        await using SqliteJournalStore store = await OpenAsync();
        await AssertAllThereAsync(store, LastAcknowledgement(child));
        Assert.Empty(await store.CheckAsync(Cancellation));
    }

    private static string DotnetHost =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";

    private string[] ChildArguments(long acknowledgements) =>
        [AppendUntilKilled.Command, _directory.Path, acknowledgements.ToString(CultureInfo.InvariantCulture)];

    /// <summary>Runs the child until it has acknowledged some, kills it, and returns the versions of its last whole line.</summary>
    private async Task<long[]> AppendAndKillAsync(int acknowledgements)
    {
        await using ChildProcess child = ChildProcess.StartDotnet(
            typeof(AppendUntilKilled).Assembly.Location, ChildArguments(acknowledgements: long.MaxValue));
        await child.WaitForOutputAsync(new Regex($"(ack [\\d ]+\\n){{{acknowledgements}}}"), Patience, Cancellation);
        await child.KillAsync();
        return LastAcknowledgement(child);
    }

    private static long[] LastAcknowledgement(ChildProcess child)
    {
        Match last = Acknowledgement().Matches(child.Output).Last(m => m.Groups[1].Captures.Count == AppendUntilKilled.AgentCount);
        return [.. last.Groups[1].Captures.Select(c => long.Parse(c.Value, CultureInfo.InvariantCulture))];
    }

    private static async Task AssertAllThereAsync(SqliteJournalStore store, long[] acknowledged)
    {
        var versions = new long[acknowledged.Length];
        for (int i = 0; i < acknowledged.Length; i++)
        {
            var handle = new JournalHandle(AppendUntilKilled.Agent(i));
            JournalHead? head = await store.ReadHeadAsync(handle, Cancellation);
            Assert.True(head!.Version.Value >= acknowledged[i], $"{handle.Agent} ends at {head.Version}; {acknowledged[i]} was acknowledged.");
            versions[i] = head.Version.Value;
            // The store verifies gaps and hashes while it reads.
            Assert.Equal(versions[i], await store.ReadForwardAsync(handle, new AgentVersion(1), head.Version, Cancellation).CountAsync(Cancellation));
        }
        // Each batch also moves every agent's index row: with its commits, or not at all.
        await Commits.AssertIndexMatchesAsync(store, [.. Enumerable.Range(0, acknowledged.Length).Select(AppendUntilKilled.Agent)], Cancellation);
        // Each batch adds 1, 1, 1, 2, 3, 4: any other proportion is half a batch.
        Assert.Equal([versions[0], versions[0], versions[0], 2 * versions[0], 3 * versions[0], 4 * versions[0]], versions);
    }

    private Task<SqliteJournalStore> OpenAsync() =>
        SqliteJournalStore.OpenAsync(new SqliteJournalOptions { DataDirectory = _directory.Path }, SilentOperatorLog.Instance, Cancellation);

    // A line cut off by the kill can only show a smaller number than was acknowledged.
    [GeneratedRegex(@"^ack(?: (\d+))+$", RegexOptions.Multiline)]
    private static partial Regex Acknowledgement();
}

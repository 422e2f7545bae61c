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

    /// <summary>Runs the child until it has acknowledged some, kills it, and returns the versions of its last whole line.</summary>
    private async Task<long[]> AppendAndKillAsync(int acknowledgements)
    {
        await using ChildProcess child = ChildProcess.StartDotnet(
            typeof(AppendUntilKilled).Assembly.Location, [AppendUntilKilled.Command, _directory.Path]);
        await child.WaitForOutputAsync(new Regex($"(ack [\\d ]+\\n){{{acknowledgements}}}"), Patience, Cancellation);
        await child.KillAsync();
        Match last = Acknowledgement().Matches(child.Output).Last(m => m.Groups[1].Captures.Count == AppendUntilKilled.AgentCount);
        return [.. last.Groups[1].Captures.Select(c => long.Parse(c.Value, null))];
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
        // Each batch adds 1, 1, 1, 2, 3, 4: any other proportion is half a batch.
        Assert.Equal([versions[0], versions[0], versions[0], 2 * versions[0], 3 * versions[0], 4 * versions[0]], versions);
    }

    private Task<SqliteJournalStore> OpenAsync() =>
        SqliteJournalStore.OpenAsync(new SqliteJournalOptions { DataDirectory = _directory.Path }, SilentOperatorLog.Instance, Cancellation);

    // A line cut off by the kill can only show a smaller number than was acknowledged.
    [GeneratedRegex(@"^ack(?: (\d+))+$", RegexOptions.Multiline)]
    private static partial Regex Acknowledgement();
}

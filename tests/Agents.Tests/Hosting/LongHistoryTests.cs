using System.Diagnostics;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Model;
using Statehouse.Journal;
using Statehouse.Journal.Sqlite;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>One agent of 100,000 commits: a bounded tail to load, flat memory to replay, one hash, one state.</summary>
public sealed class LongHistoryTests : IDisposable
{
    private const int Commits = 100_000;
    private const int LiveKeys = 200;

    private static readonly AgentId Id = new("default", "long");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("statehouse-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_hundred_thousand_commits_load_by_a_bounded_tail_replay_flat_and_agree()
    {
        ITestOutputHelper output = TestContext.Current.TestOutputHelper!;
        byte[] live = await WriteAsync(output);

        await using SqliteJournalStore store = await OpenAsync();
        var loader = new AgentLoader(store, Limits.Default, SilentOperatorLog.Instance);
        var handle = new JournalHandle(Id);
        long began = Stopwatch.GetTimestamp();
        LoadedState loaded = await loader.LoadAsync(handle, new AgentVersion(Commits), Cancellation);
        output.WriteLine($"load: {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0.0} ms, snapshot {loaded.SnapshotBytes} bytes, tail {loaded.TailBytes} bytes");
        Assert.Equal(live, SnapshotCodec.Encode(loaded.State));
        Assert.True(loaded.SnapshotBytes > 0);
        Assert.True(loaded.TailBytes <= 4 * Math.Max(64 * 1024, loaded.SnapshotBytes), $"a tail of {loaded.TailBytes} bytes was folded");

        GC.Collect();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long peak = 0;
        var fold = new JournalFold(AgentState.Empty(Id), Limits.Default);
        began = Stopwatch.GetTimestamp();
        await foreach (JournalCommit commit in store.ReadForwardAsync(handle, new AgentVersion(1), new AgentVersion(Commits), Cancellation))
        {
            fold.Add(commit);
            if (commit.Version.Value % 10_000 == 0)
                peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: true) - before);
        }
        output.WriteLine($"replay, fold and verify: {Commits / Stopwatch.GetElapsedTime(began).TotalSeconds:0} commits/s, at most {peak / 1024} KiB more memory");
        Assert.True(peak < 8 * 1024 * 1024, $"memory grew by {peak} bytes");
        Assert.Equal(loaded.State.Hash, fold.End().Hash);
        Assert.Equal(live, SnapshotCodec.Encode(fold.End()));
    }

    private async Task<byte[]> WriteAsync(ITestOutputHelper output)
    {
        await using SqliteJournalStore store = await OpenAsync();
        long began = Stopwatch.GetTimestamp();
        await using var host = new TestHost(store);
        for (int i = 0; i < Commits; i += 500)
            await Task.WhenAll(Enumerable.Range(i, 500).Select(n => host.Agent("long").CommitAsync(Put($"step:{n % LiveKeys}", $"{{\"n\":{n}}}"))));
        output.WriteLine($"write: {Commits / Stopwatch.GetElapsedTime(began).TotalSeconds:0} commits/s on one agent, 500 in flight");
        return SnapshotCodec.Encode(host.Agents.Find(Id).Confirmed!);
    }

    private async Task<SqliteJournalStore> OpenAsync() => await SqliteJournalStore.OpenAsync(
        new SqliteJournalOptions { DataDirectory = _directory.FullName }, SilentOperatorLog.Instance, Cancellation);
}

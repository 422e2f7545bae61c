using Statehouse.Agents.Codec;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Model;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>Snapshots, bounded tails, and agents that come and go in memory.</summary>
public sealed class LocalAgentsMemoryTests
{
    private readonly MemoryStore _store = new();

    [Fact]
    public async Task A_long_history_is_loaded_by_folding_a_bounded_tail()
    {
        const int Commits = 20_000;
        await using (var host = new TestHost(_store))
        {
            for (int i = 0; i < Commits; i += 100)
                await Task.WhenAll(Enumerable.Range(i, 100).Select(n => host.Agent("a").CommitAsync(Put($"k{n % 200}", $"{n}"))));
        }
        _store.ReadCount = 0;
        await using var restarted = new TestHost(_store);
        Assert.Equal($"{Commits - 1}", await restarted.Agent("a").ReadAsync($"k{(Commits - 1) % 200}"));
        Assert.True(_store.ReadCount < Commits / 10, $"{_store.ReadCount} of {Commits} commits were folded");
        Assert.NotEmpty(_store.SnapshotsOf(new AgentId("default", "a")));
    }

    [Fact]
    public async Task Every_snapshot_is_the_fold_of_its_prefix_byte_for_byte_and_so_is_the_live_state()
    {
        AgentId id = new("default", "a");
        await using (var host = new TestHost(_store, new LocalAgentsOptions { SnapshotTailBytesMin = 256 }))
        {
            var random = new Random(7);
            for (int i = 0; i < 1000; i++)
            {
                Operation operation = random.Next(4) == 0 ? Delete($"k{random.Next(20)}") : Put($"k{random.Next(20)}", $"{{\"i\":{i}}}");
                await host.Agent("a").CommitAsync(
                    Commit(operation, Put("last", $"{i}")) with { IdempotencyKey = i % 100 == 0 ? $"key{i}" : null, Metadata = i % 5 == 0 ? Json("{\"m\":1}") : default }, Cancellation);
            }
        }
        IReadOnlyList<JournalSnapshot> snapshots = _store.SnapshotsOf(id);
        Assert.NotEmpty(snapshots);
        var withoutSnapshots = new AgentLoader(new WithoutSnapshots(_store).Store, Limits.Default, SilentOperatorLog.Instance);
        foreach (JournalSnapshot snapshot in snapshots)
        {
            AgentState state = (await withoutSnapshots.LoadAsync(new JournalHandle(id), snapshot.Version, Cancellation)).State;
            byte[] folded = SnapshotCodec.Encode(state);
            AgentState restored = SnapshotCodec.Decode(id, snapshot);
            // Both sides pass the same encoder, so what it might leave out is looked at by itself.
            Assert.Equal(state.Keys.All().Select(Shown), restored.Keys.All().Select(Shown));
            Assert.Contains(restored.Keys.All(), entry => !entry.IsLive);
            Assert.Equal((state.KeyCount, state.LiveKeyCount, state.Bytes, state.Hash), (restored.KeyCount, restored.LiveKeyCount, restored.Bytes, restored.Hash));
            Assert.Equal(state.Idempotency.OldestFirst.Select(Shown), restored.Idempotency.OldestFirst.Select(Shown));
            Assert.Equal(folded, snapshot.Body.ToArray());
            Assert.Equal(folded, SnapshotCodec.Encode(SnapshotCodec.Decode(id, snapshot)));
        }
    }

    [Fact]
    public async Task A_snapshot_that_cannot_be_read_costs_time_and_no_data()
    {
        AgentId id = new("default", "a");
        await using (var host = new TestHost(_store, new LocalAgentsOptions { SnapshotTailBytesMin = 256 }))
        {
            for (int i = 0; i < 100; i++)
                await host.Agent("a").CommitAsync(Put($"k{i}", $"{i}"));
        }
        foreach (JournalSnapshot snapshot in _store.SnapshotsOf(id))
            await _store.WriteSnapshotAsync(new JournalHandle(id), snapshot with { Body = snapshot.Body[..(snapshot.Body.Length / 2)] }, Cancellation);
        await using var restarted = new TestHost(_store);
        Assert.Equal(100, (await restarted.Agent("a").ScanAsync()).Items.Length);
    }

    [Fact]
    public async Task Idle_agents_leave_memory_and_come_back_as_they_were()
    {
        var clock = new ManualClock();
        await using var host = new TestHost(_store, new LocalAgentsOptions { IdleAfter = TimeSpan.FromMinutes(10), SweepEvery = TimeSpan.FromSeconds(15) }, clock: clock);
        for (int i = 0; i < 50; i++)
            await host.Agent($"a{i}").CommitAsync(Put("k", $"{i}"));
        Assert.Equal(50, host.Agents.ResidentCount);
        await WaitUntil(() =>
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            return host.Agents.ResidentCount == 0;
        }, "all agents to leave memory");
        Assert.Equal("7", await host.Agent("a7").ReadAsync("k"));
        Assert.Equal(2, (await host.Agent("a8").CommitAsync(Put("k", "1"))).Version.Value);
    }

    [Fact]
    public async Task Over_the_memory_bound_the_least_recently_used_leave_first()
    {
        var clock = new ManualClock();
        await using var host = new TestHost(_store, new LocalAgentsOptions { ResidentBytesMax = 2_000_000, IdleAfter = TimeSpan.FromHours(10) }, clock: clock);
        string value = $"\"{new string('v', 100_000)}\"";
        for (int i = 0; i < 40; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            await host.Agent($"a{i}").CommitAsync(Put("k", value));
        }
        await WaitUntil(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(15));
            return host.Agents.ResidentCount <= 20;
        }, "the oldest to leave memory");
        int loads = _store.ReadCount;
        await host.Agent("a39").ReadAsync("k");
        Assert.Equal(loads, _store.ReadCount);
    }

    [Fact]
    public async Task Commits_race_evictions_and_lose_nothing()
    {
        await using var host = new TestHost(_store, new LocalAgentsOptions { IdleAfter = TimeSpan.Zero, SweepEvery = TimeSpan.FromMilliseconds(1) });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(w => Task.Run(async () =>
        {
            for (int i = 0; i < 50; i++)
                await host.Agent($"a{i % 3}").CommitAsync(Put($"w{w}", $"{i}"));
        }, Cancellation)));
        long total = 0;
        for (int i = 0; i < 3; i++)
            total += _store.JournalOf(new AgentId("default", $"a{i}")).Count;
        Assert.Equal(400, total);
    }

    [Fact]
    public async Task Followers_race_evictions_and_miss_nothing()
    {
        await using var host = new TestHost(_store, new LocalAgentsOptions { IdleAfter = TimeSpan.Zero, SweepEvery = TimeSpan.FromMilliseconds(1) });
        for (int i = 1; i <= 200; i++)
        {
            await using IAsyncEnumerator<JournalCommit> follower =
                host.Agent("a").ReplayAsync(new AgentVersion(i), follow: true, Cancellation).GetAsyncEnumerator(Cancellation);
            ValueTask<bool> next = follower.MoveNextAsync();
            await host.Agent("a").CommitAsync(Put("k", $"{i}"));
            Assert.True(await next.AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancellation));
            Assert.Equal(i, follower.Current.Version.Value);
        }
    }

    private static string Shown(KeyEntry entry) => $"{entry.Key} v{entry.Version} at {entry.Stamp.Version} ts{entry.Stamp.CommitTs} {entry.Value}";

    private static string Shown(RememberedCommit commit) =>
        $"{commit.Key} {commit.Stamp.Version} {commit.Stamp.CommitTs} {commit.Stamp.Time} {commit.TxnId} {commit.Hash} {commit.Content} {commit.Metadata}";

    private static async Task WaitUntil(Func<bool> holds, string what)
    {
        for (int i = 0; i < 2000; i++)
        {
            if (holds())
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(5), Cancellation);
        }
        Assert.Fail($"Waited in vain for {what}.");
    }

    /// <summary>The same journals with no snapshot in sight.</summary>
    private sealed class WithoutSnapshots(MemoryStore full)
    {
        public MemoryStore Store { get; } = Copy(full);

        private static MemoryStore Copy(MemoryStore full)
        {
            var bare = new MemoryStore();
            AgentId id = new("default", "a");
            foreach (JournalCommit commit in full.JournalOf(id))
            {
                JournalCommit? previous = bare.JournalOf(id).LastOrDefault();
                var run = new AppendRun(new JournalHandle(id), new AgentVersion(commit.Version.Value - 1), previous?.Hash ?? CommitHash.Genesis(id), [commit]);
                var unit = new AppendUnit([run]);
                bare.WriteAsync([unit], default).GetAwaiter().GetResult();
                Assert.Equal(AppendOutcome.Appended, unit.Outcome);
            }
            return bare;
        }
    }
}

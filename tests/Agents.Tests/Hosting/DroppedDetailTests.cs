using System.Text;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Model;
using Statehouse.Agents.Tests.Codec;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Hosting;

/// <summary>Details that were dropped: what rests on them says so, and nothing else is lost with them.</summary>
public sealed class DroppedDetailTests
{
    private static readonly AgentId A = new("default", "a");
    private static readonly string Text = Encoding.UTF8.GetString(Texts.Of("records", 2_000, new Random(1)));
    private readonly MemoryStore _store = new();

    [Fact]
    public async Task A_moment_that_rests_on_a_dropped_detail_is_refused_and_one_at_or_after_a_snapshot_is_not()
    {
        await WriteAsync(30);
        await SnapshotAsync(20);
        Cut(1, 20);
        await using var host = new TestHost(_store);
        IAgentState agent = host.Agent("a");
        Assert.Equal(Step(30), await agent.ReadAsync("state"));
        for (int version = 1; version <= 30; version++)
        {
            ReadPoint[] moments = [ReadPoint.AtVersion(new AgentVersion(version)), ReadPoint.AtCommitTs(_store.JournalOf(A)[version - 1].CommitTs)];
            ReadPoint[] everyMoment = [.. moments, ReadPoint.AtKeyVersion(new KeyVersion(version))];
            foreach (ReadPoint at in version < 20 ? everyMoment : moments)
            {
                if (version >= 20)
                    Assert.Equal(Step(version), await agent.ReadAsync("state", at));
                else
                    await AssertTrimmedAsync(() => agent.ReadAsync("state", at), version);
            }
            if (version > 20)
                Assert.Equal(Step(version), await agent.ReadAsync("state", ReadPoint.AtKeyVersion(new KeyVersion(version))));
        }
        await AssertTrimmedAsync(() => agent.ScanAsync(at: ReadPoint.AtVersion(new AgentVersion(19))), 19);
        Assert.Equal(30, (await agent.HistoryAsync()).Count);
        await agent.CommitAsync(Detached("state", Step(31)));
        Assert.Equal(Step(31), await agent.ReadAsync("state"));
    }

    [Fact]
    public async Task The_chain_holds_without_the_details_and_the_store_may_keep_either()
    {
        await WriteAsync(10);
        Cut(3, 5);
        CommitHash hash = CommitHash.Genesis(A);
        foreach (JournalCommit commit in _store.JournalOf(A))
        {
            hash = CommitHash.Chain(hash, commit.Version, commit.Time, commit.TxnId, commit.Body.Span);
            Assert.Equal(hash, commit.Hash);
            Assert.Equal(commit.Version.Value is >= 3 and <= 5, commit.Detail.IsEmpty);
        }
    }

    [Fact]
    public async Task A_whole_value_or_a_delete_needs_nothing_that_stands_before_it()
    {
        await using (var host = new TestHost(_store))
        {
            await host.Agent("a").CommitAsync(Detached("state", Step(1)), Detached("gone", Step(1)));
            await host.Agent("a").CommitAsync(Commit(Detached("state", Step(2))) with { IdempotencyKey = "once" }, Cancellation);
            await host.Agent("a").CommitAsync(Detached("state", Step(3)));
            await host.Agent("a").CommitAsync(Delete("gone"), Put("plain", "1"));
            await host.Agent("a").CommitAsync(Detached("state", Step(5), isWhole: true));
            await host.Agent("a").CommitAsync(Detached("state", Step(6)));
        }
        byte[] before = SnapshotCodec.Encode((await LoadAsync(6)).State);
        Cut(1, 4);
        // No snapshot helps: this is the fold of what is left, byte for byte (I5).
        Assert.Equal(before, SnapshotCodec.Encode((await LoadAsync(6)).State));
        HistoryTrimmedException trimmed = await Assert.ThrowsAsync<HistoryTrimmedException>(() => LoadAsync(4));
        Assert.Equal(("state", "3"), (trimmed.Details["key"], trimmed.Details["agent_version"]));

        await using var restarted = new TestHost(_store);
        Assert.Equal(Step(6), await restarted.Agent("a").ReadAsync("state"));
        Assert.Equal(Step(5), await restarted.Agent("a").ReadAsync("state", ReadPoint.AtKeyVersion(new KeyVersion(4))));
        Assert.Equal(6, (await restarted.Agent("a").ScanAsync()).AgentVersion.Value);
        Assert.True((await restarted.Agent("a").CommitAsync(Commit(Detached("state", Step(2))) with { IdempotencyKey = "once" }, Cancellation)).Replayed);
        Assert.Equal(ErrorCode.IdempotencyKeyReused, (await RefusalAsync(async () => await restarted.Agent("a").CommitAsync(
            Commit(Detached("state", Step(3))) with { IdempotencyKey = "once" }, Cancellation))).Code);
    }

    [Fact]
    public async Task An_agent_whose_last_state_rests_on_a_dropped_detail_says_so_and_decides_nothing()
    {
        await WriteAsync(5);
        Cut(4, 4);
        await using var host = new TestHost(_store);
        await AssertTrimmedAsync(() => host.Agent("a").ReadAsync("state"), 4);
        await AssertTrimmedAsync(() => host.Agent("a").CommitAsync(Put("k", "1")), 4);
        Assert.Equal(5, _store.JournalOf(A).Count);
    }

    [Fact]
    public async Task A_server_that_fell_behind_dropped_details_goes_on_from_a_snapshot()
    {
        await WriteAsync(5);
        var log = new Messages();
        await using var behind = new TestHost(_store, log: log);
        Assert.Equal(Step(5), await behind.Agent("a").ReadAsync("state"));
        await WriteAsync(30, from: 6);
        await SnapshotAsync(25);
        Cut(1, 25);
        Assert.Equal(Step(30), await behind.Agent("a").ReadAsync("state", consistency: Consistency.Strong));
        await behind.Agent("a").CommitAsync(Detached("state", Step(31)));
        Assert.Equal(31, _store.JournalOf(A).Count);
        Assert.Empty(log);
    }

    [Fact]
    public async Task Details_that_are_dropped_while_a_load_reads_them_are_made_up_for_by_the_newer_snapshot()
    {
        await WriteAsync(30);
        _store.AfterReadSnapshot = async () =>
        {
            _store.AfterReadSnapshot = null;
            await SnapshotAsync(25);
            Cut(1, 25);
        };
        LoadedState loaded = await LoadAsync(30);
        Assert.True(_store.JournalOf(A)[0].Detail.IsEmpty);
        Assert.Equal(Step(30), loaded.State.Keys.Find(new Key("state"))!.Value.ToString());
    }

    [Theory]
    [InlineData("a bit of a value")]
    [InlineData("another format")]
    [InlineData("another form")]
    [InlineData("a longer length")]
    [InlineData("cut short")]
    [InlineData("more than there should be")]
    [InlineData("only its format")]
    [InlineData("of another commit")]
    public async Task A_damaged_detail_is_a_broken_invariant(string damage)
    {
        await WriteAsync(4);
        JournalCommit commit = _store.JournalOf(A)[2];
        byte[] detail = commit.Detail.ToArray();
        switch (damage)
        {
            case "a bit of a value": detail[Array.LastIndexOf(detail, (byte)'3')] ^= 1; break;
            case "another format": detail[0]++; break;
            case "another form": detail[1] = 9; break;
            case "a longer length": detail[2]++; break;
            case "cut short": detail = detail[..^1]; break;
            case "more than there should be": detail = [.. detail, 1]; break;
            case "only its format": detail = detail[..1]; break;
            default: detail = _store.JournalOf(A)[3].Detail.ToArray(); break;
        }
        _store.Replace(A, commit with { Body = (byte[])[.. commit.Canonical.Span, CommitBody.DetailSeparator, .. detail] });
        var broken = await Assert.ThrowsAsync<InvariantBrokenException>(() => LoadAsync(4));
        Assert.Contains("commit 3", broken.Message, StringComparison.Ordinal);
        await using var host = new TestHost(_store);
        await Assert.ThrowsAsync<InvariantBrokenException>(() => host.Agent("a").ReadAsync("state"));
    }

    [Fact]
    public async Task A_detail_where_nothing_is_detached_is_a_broken_invariant()
    {
        await using (var host = new TestHost(_store))
            await host.Agent("a").CommitAsync(Put("k", "1"));
        JournalCommit commit = _store.JournalOf(A)[0];
        _store.Replace(A, commit with { Body = (byte[])[.. commit.Canonical.Span, CommitBody.DetailSeparator, 1] });
        await Assert.ThrowsAsync<InvariantBrokenException>(() => LoadAsync(1));
    }

    private static string Step(int step) => Text.Replace("\"id\":5,", $"\"id\":\"step {step}\",", StringComparison.Ordinal);

    private static async Task AssertTrimmedAsync(Func<Task> read, int version)
    {
        HistoryTrimmedException trimmed = await Assert.ThrowsAsync<HistoryTrimmedException>(read);
        Assert.Contains($"version {version}", trimmed.Message, StringComparison.Ordinal);
        Assert.Equal("state", trimmed.Details["key"]);
    }

    private async Task WriteAsync(int to, int from = 1)
    {
        await using var host = new TestHost(_store, new LocalAgentsOptions { SnapshotTailBytesMin = long.MaxValue });
        for (int i = from; i <= to; i++)
            await host.Agent("a").CommitAsync(Detached("state", Step(i)));
    }

    private Task<LoadedState> LoadAsync(long version) => new AgentLoader(_store, Limits.Default, SilentOperatorLog.Instance)
        .LoadAsync(new JournalHandle(A), new AgentVersion(version), Cancellation);

    private async Task SnapshotAsync(long version)
    {
        AgentState state = (await LoadAsync(version)).State;
        await _store.WriteSnapshotAsync(new JournalHandle(A), new JournalSnapshot(state.Version, state.Hash, SnapshotCodec.Encode(state)), Cancellation);
    }

    private void Cut(long from, long to)
    {
        foreach (JournalCommit commit in _store.JournalOf(A))
        {
            if (commit.Version.Value >= from && commit.Version.Value <= to)
                _store.Replace(A, commit with { Body = commit.Canonical });
        }
    }

    private sealed class Messages : System.Collections.Concurrent.ConcurrentQueue<string>, IOperatorLog
    {
        public void Write(OperatorLogLevel level, string message, Exception? error = null) => Enqueue(message);
    }
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;

namespace Statehouse.Executions.Tests;

public sealed class ExecutionServiceTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statehouse-executions-");
    private readonly ManualClock _clock = new();
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(_folder.FullName, _clock);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_thousand_orphans_go_to_eight_workers_each_exactly_once()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
            await CreateAsync($"orphan-{i}", worker: "dead"));
        _clock.Advance(TimeSpan.FromMinutes(10));
        var claims = new ConcurrentBag<(string Id, long Token)>();
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async worker =>
        {
            // Half of them are other gateways: they share nothing but the store.
            await using ExecutionService own = _server.NewService();
            ExecutionService executions = worker % 2 == 0 ? _server.Executions : own;
            while (await executions.ClaimAsync("default", new ClaimRequest($"w{worker}"), Cancellation) is { Count: > 0 } claimed)
                claims.Add((claimed[0].Written.View.Agent.Name, claimed[0].Written.View.Run.Token));
        }));
        TimeSpan took = Stopwatch.GetElapsedTime(began);
        Assert.Equal(1000, claims.Count);
        Assert.Equal(1000, claims.Select(claim => claim.Id).Distinct().Count());
        Assert.All(claims, claim => Assert.Equal(2, claim.Token));
        Assert.True(took < TimeSpan.FromSeconds(30), $"{took}");
        TestContext.Current.TestOutputHelper!.WriteLine($"1,000 claims by 8 workers took {took.TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task A_gateway_that_missed_another_ones_claim_is_refused_by_the_commit_itself()
    {
        AgentId agent = await CreateAsync("paused", worker: "first");
        await _server.Executions.CheckpointAsync(agent, 1, Views.Json("1"), 1, null, Cancellation);
        _clock.Advance(TimeSpan.FromMinutes(10));
        await using ExecutionService other = _server.NewService();
        Assert.Single(await other.ClaimAsync("default", new ClaimRequest("second"), Cancellation));
        // The first gateway still knows the execution as it was with the first worker's checkpoint.
        StateConflictException refused = await Assert.ThrowsAsync<StateConflictException>(async () =>
            await _server.Executions.CheckpointAsync(agent, 2, Views.Json("2"), 1, null, Cancellation));
        Assert.Equal(("2", "1"), (refused.Details["token"], refused.Details["given"]));
        Assert.Equal(1, (await other.GetAsync(agent, Consistency.Strong, Cancellation)).View.Mark.Step);
        await other.CheckpointAsync(agent, 2, Views.Json("22"), 2, null, Cancellation);
    }

    [Fact]
    public async Task An_execution_that_cannot_be_claimed_stands_in_nobodys_way()
    {
        // Candidates come in any order: of so many, some broken ones come before some of the others.
        string[] fine = [.. Enumerable.Range(0, 20).Select(i => $"fine-{i:00}")];
        AgentId[] broken = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => CreateAsync($"broken-{i}")));
        foreach (string id in fine)
            await CreateAsync(id);
        await using ExecutionService executions = _server.NewService(new BrokenAgents(_server.Agents, broken));
        IReadOnlyList<ClaimedExecution> claimed = await executions.ClaimAsync("default", new ClaimRequest("w") { Limit = 100 }, Cancellation);
        Assert.Equal(fine, claimed.Select(each => each.Written.View.Agent.Name).Order());
    }

    [Fact]
    public async Task What_a_request_may_hold_is_bounded_and_a_cursor_behind_the_end_finds_nothing()
    {
        AgentId agent = await CreateAsync("bounded");
        await _server.Executions.CheckpointAsync(agent, 0, Views.Json("0"), null, null, Cancellation);
        var behind = new CheckpointQuery(10) { After = new AgentVersion(long.MaxValue) };
        Assert.Empty((await _server.Executions.ListCheckpointsAsync(agent, behind, Cancellation)).Items);
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(async () => await _server.Executions.ChangeAsync(
            agent, new StatusChange(ExecutionStatus.Paused, Reason: new string('r', 1025)), null, null, Cancellation));
        Assert.Equal((ErrorCode.InvalidArgument, "reason"), (refused.Code, refused.Details["field"]));
        await _server.Executions.ChangeAsync(agent, new StatusChange(ExecutionStatus.Paused, Reason: new string('r', 1024)), null, null, Cancellation);
    }

    [Fact]
    public async Task Buffered_checkpoints_of_a_gateway_that_missed_a_claim_are_refused_all_of_them()
    {
        AgentId agent = await CreateAsync("buffered", worker: "first");
        await _server.Executions.CheckpointAsync(agent, 7, Views.Json("7"), 1, null, Cancellation);
        _clock.Advance(TimeSpan.FromMinutes(10));
        await using ExecutionService other = _server.NewService();
        Assert.Single(await other.ClaimAsync("default", new ClaimRequest("second"), Cancellation));
        // The second one stands at the very version that the claim has made.
        await _server.Executions.BufferAsync(agent, 8, Views.Json("8"), 1, Cancellation);
        await _server.Executions.BufferAsync(agent, 9, Views.Json("9"), 1, Cancellation);
        StateConflictException refused = await Assert.ThrowsAsync<StateConflictException>(async () =>
            await _server.Executions.FlushAsync(agent, Cancellation));
        Assert.Equal(("8", "2"), (refused.Details["buffered_step"], refused.Details["dropped"]));
        Assert.Equal(7, (await other.GetAsync(agent, Consistency.Strong, Cancellation)).View.Mark.Step);
    }

    [Fact]
    public async Task A_flush_whose_caller_goes_writes_all_the_same_and_the_next_one_finds_nothing_left()
    {
        AgentId agent = await CreateAsync("gone");
        for (int step = 0; step < 100; step++)
            await _server.Executions.BufferAsync(agent, step, Views.Json($"{step}"), null, Cancellation);
        using var gone = new CancellationTokenSource();
        ValueTask<(int, ExecutionView)> flush = _server.Executions.FlushAsync(agent, gone.Token);
        await gone.CancelAsync();
        // It may have been done before the caller went.
        await Task.WhenAny(flush.AsTask(), Task.Delay(TimeSpan.FromSeconds(10), Cancellation));
        await _server.Executions.FlushAsync(agent, Cancellation);
        StepMark stands = (await _server.Executions.GetAsync(agent, Consistency.Default, Cancellation)).View.Mark;
        Assert.Equal((99L, 100L), (stands.Step!.Value, stands.Count));
        Assert.Equal(0, _server.Executions.BufferedCount);
    }

    [Fact]
    public async Task An_execution_that_has_the_id_of_a_removed_one_is_not_taken_for_it()
    {
        AgentId agent = await CreateAsync("again");
        await using ExecutionService other = _server.NewService();
        await _server.Executions.CheckpointAsync(agent, 0, Views.Json("\"old\""), null, null, Cancellation);
        await _server.Executions.CheckpointAsync(agent, 1, Views.Json("\"old 1\""), null, null, Cancellation);
        await other.CheckpointAsync(agent, 2, Views.Json("\"old 2\""), null, null, Cancellation);
        Assert.Equal("\"old\"", (await _server.Executions.LoadAsync(agent, 0, Cancellation)).State.ToString());
        await _server.Executions.ChangeAsync(agent, new StatusChange(ExecutionStatus.Cancelled), null, null, Cancellation);
        _clock.Advance(TimeSpan.FromDays(1));
        var finished = new CleanupRequest("default", CommitTime.From(_clock.GetUtcNow()), [ExecutionStatus.Cancelled]);
        Assert.Equal(1, (await _server.Executions.CleanUpAsync(finished, Cancellation)).Removed);

        await CreateAsync("again");
        foreach (int step in (int[])[0, 1, 2])
            await _server.Executions.CheckpointAsync(agent, step, Views.Json($"\"new {step}\""), null, null, Cancellation);
        // The other gateway still knows the removed one, at this one's version.
        Written written = await other.CheckpointAsync(agent, 3, Views.Json("\"new 3\""), null, null, Cancellation);
        Assert.Equal((3L, 4L), (written.View.Mark.Step!.Value, written.View.Mark.Count));
        for (int step = 0; step <= 3; step++)
            Assert.Equal($"\"new {step}\"", (await _server.Executions.LoadAsync(agent, step, Cancellation)).State.ToString());
    }

    [Fact]
    public async Task Writers_of_one_execution_make_every_step_exactly_once()
    {
        AgentId agent = await CreateAsync("hot");
        await using ExecutionService other = _server.NewService();
        int written = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            ExecutionService executions = worker % 2 == 0 ? _server.Executions : other;
            for (long step = 0; step < 50; step++)
            {
                try
                {
                    Written one = await executions.CheckpointAsync(agent, step, Views.Json($"{worker}"), null, null, Cancellation);
                    Interlocked.Add(ref written, one.Replayed ? 0 : 1);
                }
                catch (StateConflictException)
                {
                    // Another worker made this step, or one above it.
                }
            }
        }));
        ExecutionDetail detail = await other.GetAsync(agent, Consistency.Default, Cancellation);
        Assert.Equal(written, detail.View.Mark.Count);
        CheckpointPage history = await other.ListCheckpointsAsync(agent, new CheckpointQuery(1000), Cancellation);
        Assert.Equal(written, history.Items.Length);
        Assert.Equal(history.Items.Select(item => item.Step).Distinct().Order(), history.Items.Select(item => item.Step));
    }

    [Fact]
    public async Task After_a_restart_everything_is_as_it_was_and_repeats_are_known()
    {
        AgentId agent = await CreateAsync("durable", new ExecutionSettings(CheckpointInterval: 3, CheckpointRetention: 8));
        for (long step = 0; step < 40; step++)
            await _server.Executions.CheckpointAsync(agent, step, State(step), null, $"key-{step}", Cancellation);
        await _server.Executions.NameAsync(agent, "kept", 39, null, Cancellation);
        (long thinned, long bytes) = await _server.Executions.ThinAsync(agent, Cancellation);
        CheckpointPage before = await _server.Executions.ListCheckpointsAsync(agent, new CheckpointQuery(1000) { WithState = true }, Cancellation);
        Assert.InRange(before.Items.Count(item => item.Restorable), 8, 10);
        Assert.True(thinned == 0 || bytes > 0);

        await _server.DisposeAsync();
        _server = await TestServer.StartAsync(_folder.FullName, _clock);
        CheckpointPage after = await _server.Executions.ListCheckpointsAsync(agent, new CheckpointQuery(1000) { WithState = true }, Cancellation);
        Assert.Equal(before.Items.Select(Shown), after.Items.Select(Shown));
        foreach (Checkpoint item in after.Items.Where(item => item.Restorable))
        {
            Assert.Equal(State(item.Step).ToString(), (await _server.Executions.LoadAsync(agent, item.Step, Cancellation)).State.ToString());
            Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(item.State.Utf8)), item.Sha256);
        }
        Written repeat = await _server.Executions.CheckpointAsync(agent, 3, State(3), null, "key-3", Cancellation);
        Assert.True(repeat.Replayed);
        Assert.Equal(new AgentVersion(5), repeat.Version);
        Assert.Equal(State(39).ToString(), (await _server.Executions.GetSnapshotAsync(agent, "kept", Cancellation)).State.ToString());
        Assert.Equal((0, 0), await _server.Executions.ThinAsync(agent, Cancellation));
    }

    [Fact]
    public async Task Thinning_never_takes_what_must_stay_whatever_the_settings_are()
    {
        var random = new Random(20260131);
        for (int run = 0; run < 12; run++)
        {
            var settings = new ExecutionSettings(random.Next(1, 8), random.Next(1, 15));
            AgentId agent = await CreateAsync($"thin-{run}", settings);
            long step = 0;
            for (int i = 0; i < 60; i++)
            {
                step += random.Next(1, 4);
                await _server.Executions.CheckpointAsync(agent, step, State(step), null, null, Cancellation);
                if (random.Next(15) == 0)
                    step = (await _server.Executions.RestoreAsync(agent, step, null, null, Cancellation)).View.Mark.Step!.Value;
                if (random.Next(10) == 0)
                    await _server.Executions.ThinAsync(agent, Cancellation);
                Assert.Equal(State(step).ToString(), (await _server.Executions.LatestAsync(agent, Cancellation)).State.ToString());
            }
            CheckpointPage history = await _server.Executions.ListCheckpointsAsync(agent, new CheckpointQuery(1000) { NewestFirst = true, WithState = true }, Cancellation);
            CheckpointPage forward = await _server.Executions.ListCheckpointsAsync(agent, new CheckpointQuery(1000) { WithState = true }, Cancellation);
            Assert.Equal(history.Items.Reverse().Where(item => item.Restorable).Select(Shown).TakeLast(settings.CheckpointRetention),
                forward.Items.Where(item => item.Restorable).Select(Shown).TakeLast(settings.CheckpointRetention));
            Assert.True(history.Items.Take(settings.CheckpointRetention).All(item => item.Restorable), $"{settings}");
            Assert.All(history.Items.Where(item => item.Restorable), item => Assert.Equal(State(item.Step).ToString(), item.State.ToString()));
        }
    }

    [Fact]
    public async Task A_page_of_large_states_ends_early_and_the_next_goes_on_behind_it()
    {
        AgentId agent = await CreateAsync("large");
        string filler = new('x', 900_000);
        for (long step = 0; step < 20; step++)
            await _server.Executions.CheckpointAsync(agent, step, Views.Json($"[{step},\"{filler}\"]"), null, null, Cancellation);
        foreach (bool newestFirst in (bool[])[false, true])
        {
            var seen = new List<long>();
            AgentVersion? after = null;
            do
            {
                var query = new CheckpointQuery(1000) { NewestFirst = newestFirst, WithState = true, After = after };
                CheckpointPage page = await _server.Executions.ListCheckpointsAsync(agent, query, Cancellation);
                Assert.InRange(page.Items.Length, 1, 10);
                Assert.All(page.Items, item => Assert.StartsWith($"[{item.Step},", item.State.ToString(), StringComparison.Ordinal));
                seen.AddRange(page.Items.Select(item => item.Step));
                after = page.Next;
            }
            while (after is not null);
            Assert.Equal(20, seen.Count);
            Assert.Equal(newestFirst ? seen.OrderDescending() : seen.Order(), seen);
        }
    }

    [Fact]
    public async Task Crash_after_a_snapshot_lost_its_name_before_its_state_was_removed_the_name_can_be_taken_again()
    {
        await _server.DisposeAsync();
        _server = await TestServer.StartAsync(_folder.FullName, _clock, retention => new DyingRetention(retention));
        AgentId agent = await CreateAsync("crash");
        await _server.Executions.CheckpointAsync(agent, 1, Views.Json("1"), null, null, Cancellation);
        await _server.Executions.NameAsync(agent, "n", null, null, Cancellation);
        await Assert.ThrowsAsync<JournalUnavailableException>(async () => await _server.Executions.UnnameAsync(agent, "n", null, Cancellation));
        await Assert.ThrowsAsync<RefusedException>(async () => await _server.Executions.GetSnapshotAsync(agent, "n", Cancellation));
        await _server.Executions.CheckpointAsync(agent, 2, Views.Json("2"), null, null, Cancellation);
        await _server.Executions.NameAsync(agent, "n", null, null, Cancellation);
        Assert.Equal("2", (await _server.Executions.GetSnapshotAsync(agent, "n", Cancellation)).State.ToString());
    }

    private static (long, string, bool, string) Shown(Checkpoint item) => (item.Step, item.Sha256, item.Restorable, item.State.ToString());

    private static JsonText State(long step) => Views.Json($$"""{"step":{{step}},"text":"{{string.Join(' ', Enumerable.Repeat("lorem ipsum", 20))}}"}""");

    private async Task<AgentId> CreateAsync(string id, ExecutionSettings? settings = null, string? worker = null)
    {
        var request = new CreationRequest("refund") { ExecutionId = id, Worker = worker, Settings = settings ?? ExecutionSettings.Default };
        return (await _server.Executions.CreateAsync("default", request, Cancellation)).View.Agent;
    }

    /// <summary>Some of the agents contradict an invariant.</summary>
    private sealed class BrokenAgents(IAgents whole, IReadOnlyCollection<AgentId> broken) : IAgents
    {
        public IAgentState Get(AgentId agent) =>
            broken.Contains(agent) ? throw new InvariantBrokenException("The test broke this agent.") : whole.Get(agent);

        public ValueTask<AgentPage> ListAsync(
            string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken) =>
            whole.ListAsync(@namespace, prefix, afterExclusive, limit, cancellationToken);

        public ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
            ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken) =>
            whole.CommitTogetherAsync(commits, cancellationToken);

        public ValueTask<FeedPage> ReadFeedAsync(CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken) =>
            whole.ReadFeedAsync(afterExclusive, limit, @namespace, cancellationToken);

        public ValueTask WaitForFeedAsync(CommitTs afterExclusive, CancellationToken cancellationToken) =>
            whole.WaitForFeedAsync(afterExclusive, cancellationToken);

        public ValueTask PingAsync(CancellationToken cancellationToken) => whole.PingAsync(cancellationToken);
    }

    /// <summary>The process dies before anything is removed.</summary>
    private sealed class DyingRetention(IJournalRetention whole) : IJournalRetention
    {
        public Task<long> CutDetailsAsync(JournalHandle handle, AgentVersion from, AgentVersion to, CancellationToken cancellationToken) =>
            whole.CutDetailsAsync(handle, from, to, cancellationToken);

        public Task<bool> DeleteAgentAsync(JournalHandle handle, AgentVersion version, CommitHash hash, CancellationToken cancellationToken) =>
            throw new JournalUnavailableException("The process has died here.");
    }
}

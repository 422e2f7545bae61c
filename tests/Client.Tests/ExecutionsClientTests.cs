using System.Text.Json;

namespace Statehouse.Client.Tests;

public sealed class ExecutionsClientTests(ClientFixture fixture) : IClassFixture<ClientFixture>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private sealed record Basket(int[] Items, decimal Sum);

    [Fact]
    public async Task A_typed_state_comes_back_as_it_was_and_an_element_text_for_text()
    {
        ExecutionsClient executions = fixture.Executions("states");
        Execution created = await executions.CreateAsync(new NewExecution("shop") { ExecutionId = "run", State = new Basket([], 0.10m) }, Cancelled);
        Assert.Equal((ExecutionStatus.Pending, 0L), (created.Status, created.Step));
        CheckpointReceipt receipt = await executions.CheckpointAsync("run", 1, new Basket([17], 12.50m), cancellationToken: Cancelled);
        Assert.True(receipt.Durable);
        Assert.Equal(12.50m, (await executions.LoadAsync("run", cancellationToken: Cancelled)).StateAs<Basket>()!.Sum);
        Assert.Empty((await executions.LoadAsync("run", 0, Cancelled)).StateAs<Basket>()!.Items);

        const string Text = "{\"z\": 123456789012345678901234567890.10,  \"a\":[1E5, \"\\u00fc\"]}";
        await executions.CheckpointAsync("run", 2, JsonDocument.Parse(Text).RootElement, cancellationToken: Cancelled);
        Assert.Contains("123456789012345678901234567890.10", (await executions.LoadAsync("run", cancellationToken: Cancelled)).State.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("metrics")]
    [InlineData("..")]
    [InlineData("a%2Fb")]
    [InlineData("Zürich 🚀?#&")]
    public async Task Ids_reach_the_server_as_they_are(string id)
    {
        ExecutionsClient executions = fixture.Executions("ids");
        await executions.CreateAsync(new NewExecution("w") { ExecutionId = id, State = id }, Cancelled);
        Assert.Equal(id, (await executions.GetAsync(id, Cancelled)).ExecutionId);
        Assert.Equal(id, (await executions.LoadAsync(id, cancellationToken: Cancelled)).StateAs<string>());
    }

    [Fact]
    public async Task An_execution_ends_once_and_what_is_refused_says_why()
    {
        ExecutionsClient executions = fixture.Executions("ends");
        foreach (string id in (string[])["good", "bad", "stopped"])
            await RunningAsync(executions, id);
        Execution good = await executions.CompleteAsync("good", new { sum = 3 }, cancellationToken: Cancelled);
        Execution bad = await executions.FailAsync("bad", new ExecutionFailure("no money", "Payment"), cancellationToken: Cancelled);
        Execution stopped = await executions.CancelAsync("stopped", "not needed", Cancelled);
        Assert.Equal((ExecutionStatus.Completed, 3), (good.Status, good.Result.GetProperty("sum").GetInt32()));
        Assert.Equal(("no money", "Payment"), (bad.Error!.Message, bad.Error.Type));
        Assert.True(stopped.IsFinal);
        StatehouseException ended = await Assert.ThrowsAsync<StatehouseException>(() => executions.PauseAsync("good", cancellationToken: Cancelled));
        Assert.Equal(("SH-1001", "completed", false), (ended.Code, ended.Details["status"], ended.OutcomeUnknown));
        StatehouseException missing = await Assert.ThrowsAsync<StatehouseException>(() => executions.GetAsync("nobody", Cancelled));
        Assert.True(missing.IsNotFound);
    }

    [Fact]
    public async Task A_claim_fences_and_a_write_with_another_token_is_refused()
    {
        ExecutionsClient executions = fixture.Executions("claims");
        await executions.CreateAsync(new NewExecution("w") { ExecutionId = "run", State = 1, Labels = new Dictionary<string, string> { ["Team"] = "a" } }, Cancelled);
        ClaimedExecution claim = Assert.Single(await executions.ClaimAsync(new ClaimRequest("one", 10), Cancelled));
        Assert.Equal((1, 1, "one", "a"), (claim.Token, claim.State.GetInt32(), claim.Execution.Lease!.Worker, claim.Execution.Labels["Team"]));
        Assert.Empty(await executions.ClaimAsync(new ClaimRequest("two", 10), Cancelled));
        await Assert.ThrowsAsync<StaleTokenException>(() => executions.CheckpointAsync("run", 1, 2, cancellationToken: Cancelled));
        await Assert.ThrowsAsync<StaleTokenException>(() => executions.CompleteAsync("run", token: 7, cancellationToken: Cancelled));
        Assert.True((await executions.HeartbeatAsync("run", claim.Token, Cancelled)).Until >= claim.Execution.Lease.Until);
        await executions.CheckpointAsync("run", 1, 2, claim.Token, Cancelled);
        await executions.PauseAsync("run", cancellationToken: Cancelled);
        await executions.ResumeAsync("run", Cancelled);
        await Assert.ThrowsAsync<StaleTokenException>(() => executions.CheckpointAsync("run", 2, 3, claim.Token, Cancelled));
    }

    [Fact]
    public async Task History_snapshots_and_restores_lead_back_to_an_old_state()
    {
        ExecutionsClient executions = fixture.Executions("back");
        await RunningAsync(executions, "run");
        for (int step = 2; step <= 4; step++)
            await executions.CheckpointAsync("run", step, step, cancellationToken: Cancelled);
        await executions.CreateSnapshotAsync("run", "a/b", 2, Cancelled);
        Assert.Equal(2, (await executions.GetSnapshotAsync("run", "a/b", Cancelled)).State.GetInt32());
        Assert.Equal("a/b", Assert.Single(await ListAsync(executions.SnapshotsAsync("run", Cancelled))).Name);
        Assert.Equal(ExecutionStatus.Pending, (await executions.RestoreSnapshotAsync("run", "a/b", Cancelled)).Status);
        Assert.Equal(3, (await executions.RestoreAsync("run", 3, Cancelled)).Step);
        await executions.DeleteSnapshotAsync("run", "a/b", Cancelled);
        await executions.CheckpointAsync("run", 4, "other", cancellationToken: Cancelled);
        List<CheckpointEntry> history = await ListAsync(executions.HistoryAsync("run", new HistoryQuery { WithState = true }, Cancelled));
        Assert.Equal([0, 1, 2, 3, 4, 4], history.Select(entry => entry.Step));
        Assert.Equal("other", history[^1].State.GetString());
        var newest = new HistoryQuery { NewestFirst = true, FromStep = 2, ToStep = 3 };
        Assert.Equal([3, 2], (await ListAsync(executions.HistoryAsync("run", newest, Cancelled))).Select(entry => entry.Step));
    }

    [Fact]
    public async Task A_query_reads_all_pages_of_what_matches()
    {
        ExecutionsClient executions = fixture.Executions("query");
        await Parallel.ForEachAsync(Enumerable.Range(0, 1_030), Cancelled, async (number, _) => await executions.CreateAsync(
            new NewExecution(number % 2 == 0 ? "even" : "odd") { ExecutionId = $"run-{number}", Labels = new Dictionary<string, string> { ["n"] = $"{number % 10}" } }, Cancelled));
        await executions.CancelAsync("run-7", cancellationToken: Cancelled);
        Assert.Equal(1_030, (await ListAsync(executions.QueryAsync(cancellationToken: Cancelled))).DistinctBy(run => run.ExecutionId).Count());
        var cancelledOnly = new ExecutionQuery { Statuses = [ExecutionStatus.Cancelled], Workflow = "odd", Labels = new Dictionary<string, string> { ["n"] = "7" } };
        Assert.Equal("run-7", Assert.Single(await ListAsync(executions.QueryAsync(cancelledOnly, Cancelled))).ExecutionId);
        Assert.Empty(await ListAsync(executions.QueryAsync(new ExecutionQuery { StartedTo = DateTimeOffset.UnixEpoch }, Cancelled)));
        ExecutionMetrics metrics = await executions.MetricsAsync(Cancelled);
        Assert.Equal((1_030, 1_029, 1), (metrics.Total, metrics.Active, metrics.ByStatus["cancelled"]));
        CleanupResult cleaned = await executions.CleanUpAsync(TimeProvider.System.GetUtcNow().AddDays(1), [ExecutionStatus.Cancelled], cancellationToken: Cancelled);
        Assert.Equal((1, false), (cleaned.Removed, cleaned.More));
    }

    [Fact]
    public void Metrics_of_a_server_that_has_made_no_checkpoint_yet_can_be_read()
    {
        using JsonDocument body = JsonDocument.Parse("""
            {"total":0,"active":0,"by_status":{},"checkpoints":0,"checkpoint_bytes":0,"checkpoint_latency_ms":{"p50":null,"p90":null,"p99":null},"buffered":0,"claims":0,"recoveries":0}
            """);
        Assert.Null(ClientJson.Read<ExecutionMetrics>(body.RootElement).CheckpointLatencyMs["p50"]);
    }

    [Fact]
    public async Task Checkpoints_committed_together_are_all_there_or_none()
    {
        ExecutionsClient executions = fixture.Executions("together");
        await RunningAsync(executions, "a");
        await RunningAsync(executions, "b");
        TogetherReceipt receipt = await executions.CommitAsync([new StagedCheckpoint("a", 2, "x"), new StagedCheckpoint("b", 9, null)], Cancelled);
        Assert.All(receipt.Checkpoints, one => Assert.Equal(receipt.CommitTs, one.CommitTs));
        await Assert.ThrowsAsync<StatehouseException>(() => executions.CommitAsync([new StagedCheckpoint("a", 3, "y"), new StagedCheckpoint("b", 9, "z")], Cancelled));
        Assert.Equal((2L, 9L), ((await executions.GetAsync("a", Cancelled)).Step!.Value, (await executions.GetAsync("b", Cancelled)).Step!.Value));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_fault_after_the_last_attempt()
    {
        using var http = new HttpClient { BaseAddress = new Uri("http://127.0.0.1:1") };
        ExecutionsClient executions = http.Executions(options: new ExecutionsClientOptions { Attempts = 2, Delay = TimeSpan.Zero });
        StatehouseException fault = await Assert.ThrowsAsync<StatehouseException>(() => executions.CompleteAsync("run", cancellationToken: Cancelled));
        Assert.Equal((true, false, null), (fault.IsFault, fault.OutcomeUnknown, fault.Code));
    }

    private static async Task RunningAsync(ExecutionsClient executions, string id)
    {
        await executions.CreateAsync(new NewExecution("w") { ExecutionId = id, State = 0 }, Cancelled);
        await executions.CheckpointAsync(id, 1, 1, cancellationToken: Cancelled);
    }

    private static async Task<List<T>> ListAsync<T>(IAsyncEnumerable<T> items)
    {
        var list = new List<T>();
        await foreach (T item in items)
            list.Add(item);
        return list;
    }
}

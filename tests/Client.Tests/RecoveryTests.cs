using System.Collections.Concurrent;
using System.Net;

namespace Statehouse.Client.Tests;

public sealed class RecoveryTests(ClientFixture fixture) : IClassFixture<ClientFixture>
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private static readonly RecoveryOptions Once = new("worker");

    private static readonly ExecutionSettings ShortLease = new(RecoveryTimeoutMs: 100);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Unfinished_executions_are_finished_where_they_were()
    {
        ExecutionsClient executions = fixture.Executions("finish");
        for (int number = 0; number < 10; number++)
            await executions.CreateAsync(new NewExecution("count") { ExecutionId = $"run-{number}", State = 0 }, Cancelled);
        RecoveryReport report = await executions.RecoverAllAsync(
            async (run, stop) =>
            {
                int count = run.State.GetInt32();
                while (count < 3)
                    await run.CheckpointAsync(run.Step!.Value + 1, ++count, stop);
                return count;
            },
            Once, Cancelled);
        Assert.Equal(new RecoveryReport(10, 10, 0, 0, 0), report);
        for (int number = 0; number < 10; number++)
        {
            Execution run = await executions.GetAsync($"run-{number}", Cancelled);
            Assert.Equal((ExecutionStatus.Completed, 3L, 3), (run.Status, run.Step!.Value, run.Result.GetInt32()));
        }
    }

    [Fact]
    public async Task A_handler_that_throws_leaves_its_execution_to_another_attempt_and_the_last_one_fails_it()
    {
        ExecutionsClient executions = fixture.Executions("throws");
        await executions.CreateAsync(new NewExecution("w") { ExecutionId = "run", MaxAttempts = 2, Settings = ShortLease }, Cancelled);
        var errors = new ConcurrentQueue<Exception>();
        RecoveryOptions options = Once with { Poll = TimeSpan.FromMilliseconds(20), OnError = errors.Enqueue };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        Task<RecoveryReport> recovering = executions.RecoverAllAsync((run, _) => throw new InvalidOperationException($"attempt {run.Execution.Attempt}"), options, stop.Token);
        Execution run = await WhenAsync(executions, "run", found => found.IsFinal);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => recovering);
        Assert.Equal((ExecutionStatus.Failed, 2, "attempt 2"), (run.Status, run.Attempt, run.Error!.Message));
        Assert.Equal(["attempt 1", "attempt 2"], errors.Select(error => error.Message));
    }

    [Fact]
    public async Task Heartbeats_keep_an_execution_that_works_longer_than_its_lease()
    {
        ExecutionsClient executions = fixture.Executions("slow");
        await executions.CreateAsync(new NewExecution("w") { ExecutionId = "run", Settings = new ExecutionSettings(RecoveryTimeoutMs: 500) }, Cancelled);
        RecoveryReport report = await executions.RecoverAllAsync(
            async (run, _) =>
            {
                DateTimeOffset until = run.Execution.Lease!.Until;
                await WhenAsync(executions, "run", found => found.Lease!.Until > until.AddMilliseconds(500));
                Assert.Empty(await executions.ClaimAsync(new ClaimRequest("other"), Cancelled));
                await run.FailAsync(new ExecutionFailure("by hand"), Cancelled);
                return "unused";
            },
            Once, Cancelled);
        Assert.Equal(new RecoveryReport(1, 0, 1, 0, 0), report);
    }

    [Fact]
    public async Task A_handler_whose_lease_is_lost_is_told_to_stop()
    {
        ExecutionsClient executions = fixture.Executions("lost");
        await executions.CreateAsync(new NewExecution("w") { ExecutionId = "run", Settings = new ExecutionSettings(RecoveryTimeoutMs: 300) }, Cancelled);
        RecoveryReport report = await executions.RecoverAllAsync(
            async (run, stop) =>
            {
                await executions.CancelAsync(run.Id, cancellationToken: Cancelled);
                await Task.Delay(Bound, stop);
                return null;
            },
            Once, Cancelled);
        Assert.Equal(new RecoveryReport(1, 0, 0, 0, 1), report);
        Assert.Equal(ExecutionStatus.Cancelled, (await executions.GetAsync("run", Cancelled)).Status);
    }

    [Fact]
    public async Task A_checkpoint_whose_answer_is_lost_is_repeated_with_its_key_and_the_doubt_is_told_in_the_end()
    {
        var lossy = new LossyHandler(losses: 2);
        using var http = new HttpClient(lossy) { BaseAddress = new Uri("http://test") };
        ExecutionsClient executions = http.Executions(options: new ExecutionsClientOptions { Delay = TimeSpan.Zero });
        await executions.CheckpointAsync("run", 4, "x", 2, Cancelled);
        Assert.Equal(3, lossy.Keys.Count);
        Assert.Single(lossy.Keys.Distinct());

        lossy.Losses = 4;
        StatehouseException doubt = await Assert.ThrowsAsync<StatehouseException>(() => executions.CheckpointAsync("run", 5, "x", 2, Cancelled));
        Assert.True(doubt.OutcomeUnknown);
        lossy.Losses = 1;
        await Assert.ThrowsAsync<StatehouseException>(() => executions.CreateSnapshotAsync("run", "s", cancellationToken: Cancelled));
        Assert.Equal(8, lossy.Keys.Count);
    }

    private static async Task<Execution> WhenAsync(ExecutionsClient executions, string id, Func<Execution, bool> holds)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        bound.CancelAfter(Bound);
        while (true)
        {
            Execution found = await executions.GetAsync(id, bound.Token);
            if (holds(found))
                return found;
        }
    }

    /// <summary>Takes requests and loses the answers of the next few.</summary>
    private sealed class LossyHandler(int losses) : HttpMessageHandler
    {
        private const string Receipt =
            """
            {"execution_id":"run","step":4,"version":3,"commit_ts":9,"time":"2026-01-31T09:05:00.000123Z","txn_id":"01a1ff72-5f58-71c7-8a0a-19d3e91a6c95",
             "hash":"00","status":"running","durable":true,"lease_until":"2026-01-31T09:10:00.000123Z"}
            """;

        public int Losses { get; set; } = losses;

        public List<string> Keys { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Keys.Add(request.Headers.TryGetValues("Idempotency-Key", out IEnumerable<string>? keys) ? keys.Single() : "");
            if (Losses-- > 0)
                throw new HttpRequestException(HttpRequestError.ResponseEnded, "lost");
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.Created) { Content = new StringContent(Receipt) });
        }
    }
}

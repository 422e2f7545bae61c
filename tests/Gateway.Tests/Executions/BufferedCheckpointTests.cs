using Statehouse.Executions;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Executions;

public sealed class BufferedCheckpointTests : IAsyncLifetime
{
    // Nothing is written before its time or its number has come.
    private static readonly ExecutionOptions Patient = new() { BatchSize = 4, FlushInterval = TimeSpan.FromMinutes(10), BufferedBytesMax = 1000 };

    private Node _node = null!;

    public async ValueTask InitializeAsync() => _node = await Node.StartAsync(options: new GatewayOptions { Executions = Patient });

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task What_is_buffered_is_not_shown_before_it_is_flushed()
    {
        Execution run = await Execution.CreateAsync(_node.Api);
        for (int step = 1; step <= 3; step++)
            Assert.Equal(step, (await run.CheckpointAsync(step, $"{step}", "?buffered=true")).Expect(202).Number("buffered"));
        Assert.Equal(1, (await run.ReadAsync()).GetProperty("version").GetInt64());
        Reply flushed = (await run.PostAsync("/flush")).Expect(200);
        Assert.Equal((3, 3), (flushed.Number("flushed"), flushed.Number("step")));
        Assert.Equal(["1", "2", "3"], (await run.GetAsync("/checkpoints")).Each("step"));
        Assert.Equal(0, (await run.PostAsync("/flush")).Expect(200).Number("flushed"));
    }

    [Fact]
    public async Task A_durable_write_is_made_after_what_is_buffered()
    {
        Execution run = await Execution.CreateAsync(_node.Api);
        (await run.CheckpointAsync(1, "1", "?buffered=true")).Expect(202);
        (await run.CheckpointAsync(2, "2")).Expect(201);
        (await run.CheckpointAsync(3, "3", "?buffered=true")).Expect(202);
        Assert.Equal(3, (await run.PostAsync("/complete")).Expect(200).Number("step"));
        Assert.Equal(["1", "2", "3"], (await run.GetAsync("/checkpoints")).Each("step"));
    }

    [Fact]
    public async Task What_is_refused_when_it_is_written_is_told_by_the_next_call_and_the_rest_is_dropped()
    {
        Execution run = await Execution.CreateAsync(_node.Api, ""","claim":{"worker":"w"}""");
        (await run.CheckpointAsync(1, "1", "?buffered=true&token=1")).Expect(202);
        (await run.CheckpointAsync(2, "2", "?buffered=true&token=7")).Expect(202);
        (await run.CheckpointAsync(3, "3", "?buffered=true&token=1")).Expect(202);
        Reply refused = (await run.PostAsync("/flush")).ExpectProblem(409, "SH-1001");
        Assert.Equal(("2", "7"), (Execution.Detail(refused, "buffered_step"), Execution.Detail(refused, "given")));
        Assert.Equal(1, (await run.GetAsync("/checkpoints/latest")).Number("step"));
        (await run.CheckpointAsync(2, "2", "?token=1")).Expect(201);
    }

    [Fact]
    public async Task Enough_of_them_are_written_at_once()
    {
        Execution run = await Execution.CreateAsync(_node.Api);
        for (int step = 1; step <= 4; step++)
            (await run.CheckpointAsync(step, $"{step}", "?buffered=true")).Expect(202);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while ((await run.ReadAsync()).GetProperty("checkpoints").GetInt64() < 4)
            await Task.Delay(20, patience.Token);
    }

    [Fact]
    public async Task A_full_buffer_is_busy()
    {
        Execution run = await Execution.CreateAsync(_node.Api);
        string state = $"\"{new string('x', 600)}\"";
        (await run.CheckpointAsync(1, state, "?buffered=true")).Expect(202);
        (await run.CheckpointAsync(2, state, "?buffered=true")).ExpectProblem(429, "SH-2003");
        (await run.PostAsync("/flush")).Expect(200);
        (await run.CheckpointAsync(2, state, "?buffered=true")).Expect(202);
    }

    [Fact]
    public async Task What_cannot_be_meant_is_refused_at_once()
    {
        Execution run = await Execution.CreateAsync(_node.Api);
        (await run.CheckpointAsync(5, "5")).Expect(201);
        await run.RefusedAsync(() => run.CheckpointAsync(4, "4", "?buffered=true"), 409, "SH-1001");
        await run.RefusedAsync(() => run.CheckpointAsync(6, "6", "?buffered=true", "Idempotency-Key: k"), 400, "SH-1003");
        (await run.CheckpointAsync(7, "7", "?buffered=true")).Expect(202);
        await run.RefusedAsync(() => run.CheckpointAsync(6, "6", "?buffered=true"), 409, "SH-1001");
    }
}

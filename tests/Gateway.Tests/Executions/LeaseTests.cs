using System.Text.Json;
using Statehouse.Agents.Tests;
using Statehouse.Gateway.Tests.Hosting;

namespace Statehouse.Gateway.Tests.Executions;

public sealed class LeaseTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private Node _node = null!;

    public async ValueTask InitializeAsync() => _node = await Node.StartAsync(clock: _clock);

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task A_worker_that_was_paused_is_refused_once_another_has_its_lease()
    {
        Execution run = await Execution.CreateAsync(_node.Api, ""","state":{"n":0},"settings":{"recovery_timeout_ms":1000}""");
        Assert.Equal("1", await ClaimAsync("first"));
        Assert.Null(await ClaimAsync("second"));
        (await run.CheckpointAsync(1, "1", "?token=1")).Expect(201);
        _clock.Advance(TimeSpan.FromMilliseconds(900));
        (await run.CheckpointAsync(2, "2", "", "Statehouse-Token: 1")).Expect(201);
        _clock.Advance(TimeSpan.FromMilliseconds(900));
        Assert.Null(await ClaimAsync("second"));
        _clock.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal("2", await ClaimAsync("second"));

        foreach (string query in (string[])["?token=1", ""])
        {
            Reply stale = await run.RefusedAsync(() => run.CheckpointAsync(3, "3", query), 409, "SH-1001");
            Assert.Equal("2", Execution.Detail(stale, "token"));
            await run.RefusedAsync(() => run.PostAsync($"/heartbeat{query}"), 409, "SH-1001");
            await run.RefusedAsync(() => run.PostAsync($"/complete{query}"), 409, "SH-1001");
            await run.RefusedAsync(() => run.PostAsync($"/fail{query}", """{"error":{"message":"m"}}"""), 409, "SH-1001");
        }
        await run.RefusedAsync(() => run.PostAsync("/snapshots/s?token=1"), 409, "SH-1001");
        await run.RefusedAsync(() => run.PostAsync("/pause", """{"token":1}"""), 409, "SH-1001");
        await run.RefusedAsync(() => run.PostAsync("/restore", """{"step":0,"token":1}"""), 409, "SH-1001");
        (await run.CheckpointAsync(3, "33", "?token=2")).Expect(201);
        (await run.PostAsync("/complete", """{"token":2}""")).Expect(200);
    }

    [Fact]
    public async Task A_heartbeat_extends_the_lease_and_an_operator_ends_it()
    {
        Execution run = await Execution.CreateAsync(_node.Api, ""","claim":{"worker":"w"},"settings":{"recovery_timeout_ms":1000}""");
        _clock.Advance(TimeSpan.FromMilliseconds(900));
        Reply lease = (await run.PostAsync("/heartbeat", """{"token":1}""")).Expect(200);
        Assert.Equal("2026-01-01T00:00:01.900000Z", lease.Json.GetProperty("lease").GetProperty("until").GetString());
        (await run.PostAsync("/pause")).Expect(200);
        Reply paused = await run.RefusedAsync(() => run.CheckpointAsync(1, "1", "?token=1"), 409, "SH-1001");
        Assert.Equal(("paused", "1", "1"), (Execution.Detail(paused, "status"), Execution.Detail(paused, "token"), Execution.Detail(paused, "given")));
        Assert.Null(await ClaimAsync("other"));
        (await run.PostAsync("/resume")).Expect(200);
        Assert.Equal("2", await ClaimAsync("other"));
    }

    [Fact]
    public async Task Attempts_that_are_used_up_fail_it()
    {
        Execution run = await Execution.CreateAsync(_node.Api, ""","max_attempts":2,"settings":{"recovery_timeout_ms":100}""");
        for (int attempt = 1; attempt <= 2; attempt++)
        {
            Assert.NotNull(await ClaimAsync("w"));
            _clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Null(await ClaimAsync("w"));
        JsonElement failed = await run.ReadAsync();
        Assert.Equal("failed", failed.GetProperty("status").GetString());
        Assert.Equal("attempts_exhausted", failed.GetProperty("error").GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_claim_takes_what_it_asks_for_with_the_state_and_its_own_lease()
    {
        Execution run = await Execution.CreateAsync(_node.Api, ""","labels":{"team":"a"},"state":{"n":1}""");
        foreach (string other in (string[])["""{"worker":"w","workflow":"other"}""", """{"worker":"w","labels":{"team":"b"}}"""])
            Assert.Empty((await _node.Api.PostAsync($"{Execution.All}/claim", other)).Expect(200).Items);
        Reply claimed = (await _node.Api.PostAsync($"{Execution.All}/claim", """{"worker":"w","workflow":"refund","labels":{"team":"a"},"lease_ms":100,"limit":5}""")).Expect(200);
        JsonElement item = Assert.Single(claimed.Items);
        Assert.Equal("""{"n":1}""", item.GetProperty("state").GetRawText());
        Assert.Equal("2026-01-01T00:00:00.100000Z", item.GetProperty("lease").GetProperty("until").GetString());
        Assert.Equal(run.Id, item.GetProperty("execution_id").GetString());
        foreach (string bad in (string[])["{}", """{"worker":""}""", """{"worker":"w","limit":0}""", """{"worker":"w","limit":101}""", """{"worker":"w","lease_ms":1}"""])
            (await _node.Api.PostAsync($"{Execution.All}/claim", bad)).ExpectProblem(400, "SH-1003");
    }

    [Theory]
    [InlineData("?token=0")]
    [InlineData("?token=x")]
    [InlineData("?token=1&token=1")]
    public async Task A_token_that_is_none_is_refused(string query)
    {
        Execution run = await Execution.CreateAsync(_node.Api);
        await run.RefusedAsync(() => run.CheckpointAsync(1, "1", query), 400, "SH-1003");
        await run.RefusedAsync(() => run.CheckpointAsync(1, "1", "?token=1", "Statehouse-Token: 2"), 400, "SH-1003");
    }

    /// <returns>The token of what was handed out; null where nothing was.</returns>
    private async Task<string?> ClaimAsync(string worker)
    {
        Reply claimed = (await _node.Api.PostAsync($"{Execution.All}/claim", $$"""{"worker":"{{worker}}"}""")).Expect(200);
        return claimed.Items.Count == 0 ? null : claimed.Items[0].GetProperty("lease").GetProperty("token").GetRawText();
    }
}

using System.Text.Json;
using Statehouse.Bench.Measuring;
using Statehouse.Bench.Targets;
using Statehouse.Bench.Workloads;
using Xunit;

namespace Statehouse.Bench.Tests;

public sealed class LoadTests
{
    private static readonly TimeSpan s_stall = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan s_run = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task In_an_open_loop_a_stall_counts_for_every_request_that_was_due_in_it()
    {
        LoadOutcome outcome = await new LoadRun([new FakeTarget { FirstTakes = s_stall }], new Puts(10, 50, 1), 0)
            .OpenAsync(s_run, ratePerSecond: 1_000, new Random(1));

        Assert.InRange(outcome.Requests, 350, 650);
        // Four of five were due while the only session waited: on average half of the stall too early.
        Assert.True(outcome.StartedLate > outcome.Requests / 2, $"{outcome.StartedLate} of {outcome.Requests} started late");
        Assert.True(outcome.Latencies.Milliseconds(60) > 50, $"p60 is {outcome.Latencies.Milliseconds(60)} ms");
    }

    [Fact]
    public async Task In_a_closed_loop_a_stall_is_one_slow_request()
    {
        LoadOutcome outcome = await new LoadRun([new FakeTarget { FirstTakes = s_stall }], new Puts(10, 50, 1), 0).ClosedAsync(s_run);

        Assert.True(outcome.Requests > 100, $"{outcome.Requests} requests");
        Assert.True(outcome.Latencies.Milliseconds(60) < 50, $"p60 is {outcome.Latencies.Milliseconds(60)} ms");
        Assert.True(outcome.Latencies.Milliseconds(100) >= s_stall.TotalMilliseconds - 1, $"the slowest took {outcome.Latencies.Milliseconds(100)} ms");
    }

    [Fact]
    public async Task A_case_reports_the_median_of_its_runs_and_writes_one_line_of_JSON_a_measure()
    {
        var (output, json) = (new StringWriter(), new StringWriter());
        await using BenchHost host = Hosts.New(output, json);
        await new CaseRunner(host, "F0", new FakeTarget()).RunAllAsync(Hosts.Puts());

        JsonElement rate = JsonDocument.Parse(json.ToString().Trim()).RootElement;
        Assert.Equal("F0", rate.GetProperty("figure").GetString());
        Assert.Equal("fake, 2 in flight, 50 B, 10 agents", rate.GetProperty("case").GetString());
        Assert.Equal("commits/s", rate.GetProperty("unit").GetString());
        Assert.Equal(3, rate.GetProperty("runs").GetInt32());
        Assert.InRange(rate.GetProperty("median").GetDouble(), rate.GetProperty("min").GetDouble(), rate.GetProperty("max").GetDouble());
        Assert.True(rate.GetProperty("p99_ms").GetDouble() >= rate.GetProperty("p50_ms").GetDouble());
    }

    [Fact]
    public async Task A_request_that_fails_fails_the_case()
    {
        await using BenchHost host = Hosts.New(TextWriter.Null);
        var runner = new CaseRunner(host, "F0", new FakeTarget { FailsFrom = 50 });
        BenchFailure failure = await Assert.ThrowsAsync<BenchFailure>(() => runner.RunAllAsync(Hosts.Puts()));
        Assert.Contains("the fake fails", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_that_the_store_does_not_hold_fails_the_case()
    {
        await using BenchHost host = Hosts.New(TextWriter.Null);
        var runner = new CaseRunner(host, "F0", new FakeTarget { Forgets = 1 });
        BenchFailure failure = await Assert.ThrowsAsync<BenchFailure>(() => runner.RunAllAsync(Hosts.Puts()));
        Assert.Contains("acknowledged", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_that_is_gone_after_the_crash_fails_the_figure()
    {
        await using BenchHost host = Hosts.New(TextWriter.Null);
        var runner = new CaseRunner(host, "F0", new FakeTarget { ForgetsInCrash = 1 });
        BenchFailure failure = await Assert.ThrowsAsync<BenchFailure>(() => runner.RunAllAsync(Hosts.Puts()));
        Assert.Contains("after the crash", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_workload_that_a_target_cannot_answer_is_refused_before_it_runs()
    {
        await using BenchHost host = Hosts.New(TextWriter.Null);
        var runner = new CaseRunner(host, "F0", new FakeTarget());
        BenchFailure failure = await Assert.ThrowsAsync<BenchFailure>(
            () => runner.RunAllAsync(new LoadCase(new Gets(10, 50, 1), new LoadShape(1))));
        Assert.Contains(nameof(RequestKind.Get), failure.Message, StringComparison.Ordinal);
    }
}

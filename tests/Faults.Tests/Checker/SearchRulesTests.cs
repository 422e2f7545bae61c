using System.Diagnostics;
using Statehouse.Faults.Checker;
using Statehouse.Faults.Checker.Search;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Tests.Checker;

public sealed class SearchRulesTests
{
    [Fact]
    public void Two_hundred_thousand_calls_are_checked_within_three_minutes()
    {
        const int Calls = 200_000;
        RunEvidence evidence = new SimulatedRun(seed: 1, agents: 100, keys: 4, overlap: 160).Run(Calls);
        long began = Stopwatch.GetTimestamp();
        Verdict verdict = Judge.Passes(evidence);
        TimeSpan took = Stopwatch.GetElapsedTime(began);
        TestContext.Current.TestOutputHelper?.WriteLine($"{Calls} calls in {took.TotalSeconds:0.0} s: {string.Join(", ", verdict.Checked)}");
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromMinutes(3));
    }

    [Fact]
    public void One_hot_agent_of_fifty_thousand_calls_is_decided()
    {
        Verdict verdict = Judge.Passes(new SimulatedRun(seed: 2, agents: 2, keys: 8, overlap: 160).Run(50_000));
        Assert.True(verdict.Checked[SearchRules.Counter] > 30_000);
    }

    [Fact]
    public void A_contradiction_in_a_long_history_is_told_by_few_calls()
    {
        var run = new SimulatedRun(seed: 3, agents: 2, keys: 2, overlap: 80, hasGrpc: false);
        RunEvidence good = run.Run(3_000);
        Judge.Passes(good);
        // A read far behind what was acknowledged long before.
        int late = good.Calls.ToList().FindLastIndex(call => call.Call is ReadCall { AtVersion: null } && call.Result.Answer is ReadAnswer { KeyVersion: > 100 });
        var read = (ReadCall)good.Calls[late].Call;
        RecordedCall early = good.Calls.First(call => call.Call is ReadCall { AtVersion: null } other && other.Agent == read.Agent && other.Key == read.Key && call.Result.Answer is ReadAnswer { KeyVersion: > 10 });
        RunEvidence bad = good with { Calls = [.. good.Calls.Select((call, i) => i == late ? call with { Result = early.Result } : call)] };

        Verdict verdict = RunChecker.Check(bad, new CheckOptions());
        Assert.Equal([Rule.Linearizable], verdict.Violated.Keys);
        Assert.Contains(verdict.Violations, violation => violation.Message.Contains("no order of its", StringComparison.Ordinal));
        Assert.All(verdict.Violations, violation =>
        {
            // Two show it; the bounds of shrinking may leave some more.
            Assert.InRange(violation.Calls.Count, 2, 8);
            Assert.Contains(violation.Calls, call => call.Number == good.Calls[late].Number);
        });
    }

    [Fact]
    public void What_the_bound_leaves_open_is_undecided_and_does_not_pass()
    {
        RunEvidence good = new SimulatedRun(seed: 4, agents: 2, keys: 2, overlap: 80).Run(300);
        Verdict verdict = RunChecker.Check(good, new CheckOptions { SearchStepsMax = 10 });
        Assert.Empty(verdict.Violations);
        Assert.NotEmpty(verdict.Undecided);
        Assert.False(verdict.IsClean);
    }

    [Fact]
    public void Violations_of_a_rule_are_spelled_out_up_to_a_bound_and_counted_beyond()
    {
        var store = new FakeStore();
        for (int i = 0; i < 30; i++)
            store.Apply([new Share(FakeStore.A, [new Write("k", $"{i}")])], null);
        Verdict verdict = RunChecker.Check(store.Evidence, new CheckOptions { ViolationsPerRuleMax = 7 });
        Assert.Equal(7, verdict.Violations.Count);
        Assert.Equal(30, verdict.Violated[Rule.Isolated]);
    }

    [Fact]
    public void A_violation_is_drawn_with_its_calls_under_each_other()
    {
        var store = new FakeStore();
        store.Put(FakeStore.A, "k", "1");
        RecordedCall unknown = store.Unknown(landed: false, new Share(FakeStore.A, [new Write("k", "2", 1)]));
        RecordedCall read = store.Read(FakeStore.A, "k");
        string text = ViolationText.Of(new Violation(Rule.Confirmed, "A message.", [read, unknown]));
        Assert.Equal(
            """
            I10: A message.
              |------------????????????????????????????  0.030–0.040 ms  #2 client 1 http  commit faults/a {k := 2 if version 1} → unknown timeout
                                        |------------|   0.050–0.060 ms  #3 client 1 http  read k of faults/a → ok 1 v1 @1
            """, text);
    }
}

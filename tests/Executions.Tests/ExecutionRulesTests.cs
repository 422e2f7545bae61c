namespace Statehouse.Executions.Tests;

public sealed class ExecutionRulesTests
{
    private static readonly ExecutionStatus[] All = Enum.GetValues<ExecutionStatus>();

    [Fact]
    public void Statuses_change_by_the_table_and_in_no_other_way()
    {
        // As in docs/executions.md: from → to.
        (ExecutionStatus, ExecutionStatus)[] allowed =
        [
            (ExecutionStatus.Pending, ExecutionStatus.Running), (ExecutionStatus.Pending, ExecutionStatus.Paused),
            (ExecutionStatus.Pending, ExecutionStatus.Failed), (ExecutionStatus.Pending, ExecutionStatus.Cancelled),
            (ExecutionStatus.Running, ExecutionStatus.Paused), (ExecutionStatus.Running, ExecutionStatus.Completed),
            (ExecutionStatus.Running, ExecutionStatus.Failed), (ExecutionStatus.Running, ExecutionStatus.Cancelled),
            (ExecutionStatus.Paused, ExecutionStatus.Running), (ExecutionStatus.Paused, ExecutionStatus.Failed),
            (ExecutionStatus.Paused, ExecutionStatus.Cancelled),
        ];
        foreach (ExecutionStatus from in All)
        {
            foreach (ExecutionStatus to in All.Except([ExecutionStatus.Pending]))
            {
                ExecutionDecision decision = ExecutionRules.Change(Views.View(from), new StatusChange(to), token: null, Views.Now);
                Assert.True(allowed.Contains((from, to)) == (decision.Refusal is null), $"{from} → {to}: {decision.Refusal?.Message}");
                Assert.Equal(decision.Refusal is null, decision.Operations.Length > 0);
                if (decision.Refusal is { } refusal)
                    Assert.Equal((ErrorCode.Conflict, from.Text()), (refusal.Code, refusal.Details["status"]));
            }
        }
    }

    [Fact]
    public void A_plain_checkpoint_writes_step_and_state_and_the_first_one_also_the_run()
    {
        ExecutionDecision plain = ExecutionRules.Checkpoint(Views.View(ExecutionStatus.Running), 6, Views.Json("[]"), null, Views.Now);
        Assert.Equal(["step", "state"], plain.Operations.Select(operation => operation.Key.ToString()));
        Assert.Equal("""{"s":6,"n":4,"b":2,"w":1}""", plain.Operations[0].Value.ToString());
        Assert.True(plain.Operations[1].IsDetached);
        ExecutionDecision first = ExecutionRules.Checkpoint(Views.View(ExecutionStatus.Pending, step: null), 0, Views.Json("[]"), null, Views.Now);
        Assert.Equal(["run", "step", "state"], first.Operations.Select(operation => operation.Key.ToString()));
        Assert.Equal(ExecutionStatus.Running, first.Run.Status);
    }

    [Fact]
    public void One_of_each_interval_is_kept_whole() => Assert.Equal([1, 11, 21, 31], KeptWhole(checkpoints: 40, stateBytes: 10));

    /// <summary>Else whole ones of 100 KB, one in ten, would cost ten kilobytes a step however little changes.</summary>
    [Fact]
    public void Whole_states_that_are_large_stand_further_apart() =>
        Assert.Equal([1, 201, 401], KeptWhole(checkpoints: 500, stateBytes: 102_400));

    private static IEnumerable<long> KeptWhole(int checkpoints, int stateBytes)
    {
        ExecutionView view = Views.View(ExecutionStatus.Running, step: null);
        for (long step = 0; step < checkpoints; step++)
        {
            ExecutionDecision decision = ExecutionRules.Checkpoint(view, step, Views.Json($"\"{new string('s', stateBytes - 2)}\""), null, Views.Now);
            if (decision.Operations[^1].IsWhole)
                yield return decision.Mark.Count;
            view = view with { Mark = decision.Mark };
        }
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(1L, false)]
    [InlineData(2L, true)]
    [InlineData(3L, false)]
    public void While_a_lease_lasts_only_its_token_writes(long? token, bool mayWrite)
    {
        ExecutionView held = Views.View(ExecutionStatus.Running, worker: "w", token: 2, dueAt: Views.After(1000));
        foreach (ExecutionDecision decision in (ExecutionDecision[])[
            ExecutionRules.Checkpoint(held, 6, Views.Json("1"), token, Views.Now), ExecutionRules.Heartbeat(held, token, Views.Now),
            ExecutionRules.Change(held, new StatusChange(ExecutionStatus.Completed), token, Views.Now),
            ExecutionRules.Change(held, new StatusChange(ExecutionStatus.Failed), token, Views.Now)])
        {
            Assert.Equal(mayWrite, decision.Refusal is null);
            if (decision.Refusal is { } refusal)
                Assert.Equal(("2", token?.ToString() ?? ""), (refusal.Details["token"], refusal.Details["given"]));
        }
    }

    [Fact]
    public void An_operator_needs_no_token_and_ends_the_lease()
    {
        ExecutionView held = Views.View(ExecutionStatus.Running, worker: "w", token: 2, dueAt: Views.After(1000));
        foreach (ExecutionDecision decision in (ExecutionDecision[])[
            ExecutionRules.Change(held, new StatusChange(ExecutionStatus.Paused), null, Views.Now),
            ExecutionRules.Change(held, new StatusChange(ExecutionStatus.Cancelled), null, Views.Now),
            ExecutionRules.Restore(held, 3, Views.Json("1"), null, Views.Now)])
        {
            Assert.Null(decision.Refusal);
            ExecutionView after = held with { Run = decision.Run };
            Assert.NotNull(ExecutionRules.Fence(after, 2, Views.Now, needsToken: false));
            Assert.Equal(2, decision.Run.Token);
        }
    }

    [Fact]
    public void A_lease_that_ran_out_binds_nobody_without_a_token_and_its_holder_until_another_claims()
    {
        ExecutionView late = Views.View(ExecutionStatus.Running, worker: "w", token: 2, dueAt: Views.Now, attempt: 1);
        Assert.Null(ExecutionRules.Checkpoint(late, 6, Views.Json("1"), null, Views.Now).Refusal);
        Assert.Null(ExecutionRules.Checkpoint(late, 6, Views.Json("1"), 2, Views.Now).Refusal);
        ExecutionDecision claim = ClaimRules.Claim(late, "other", null, Views.Now)!;
        Assert.Equal((3L, 2, "other"), (claim.Run.Token, claim.Run.Attempt, claim.Run.Worker));
        Assert.NotNull(ExecutionRules.Checkpoint(late with { Run = claim.Run }, 6, Views.Json("1"), 2, Views.Now).Refusal);
    }

    [Fact]
    public void A_checkpoint_extends_the_lease_without_writing_it_and_a_commit_of_the_run_does_not()
    {
        ExecutionView held = Views.View(ExecutionStatus.Running, worker: "w", token: 1, dueAt: Views.After(1000));
        Assert.Equal(Views.After(1000), held.DueAt);
        ExecutionView checkpointed = held with { RunIsNewest = false, Time = Views.After(500) };
        Assert.Equal(Views.After(500 + 300_000), checkpointed.DueAt);
        var label = new SnapshotLabel("n", 5, new AgentVersion(2), Views.Now, 2);
        ExecutionDecision named = ExecutionRules.Name(checkpointed, label, null, Views.After(9000));
        Assert.Equal(checkpointed.DueAt, named.Run.DueAt);
        ExecutionView longer = held with { Run = held.Run with { DueAt = Views.After(900_000) }, RunIsNewest = false };
        Assert.Equal(Views.After(900_000), longer.DueAt);
    }

    [Fact]
    public void Only_what_waits_is_handed_out()
    {
        Assert.NotNull(ClaimRules.Claim(Views.View(ExecutionStatus.Pending, dueAt: Views.Now), "w", null, Views.Now));
        Assert.NotNull(ClaimRules.Claim(Views.View(ExecutionStatus.Running, dueAt: Views.Now), "w", null, Views.Now));
        Assert.Null(ClaimRules.Claim(Views.View(ExecutionStatus.Running, dueAt: Views.After(1)), "w", null, Views.Now));
        foreach (ExecutionStatus status in All.Where(status => status is ExecutionStatus.Paused || status.IsFinal()))
            Assert.Null(ClaimRules.Claim(Views.View(status), "w", null, Views.Now));
    }

    [Fact]
    public void The_run_reads_back_as_it_was_written()
    {
        var run = new ExecutionRun
        {
            Workflow = "w\"\n😀", Status = ExecutionStatus.Failed, Labels = [new("a", "1"), new("b", "=")], Attempt = 2, MaxAttempts = 7,
            CreatedAt = Views.Now, StartedAt = Views.After(1), FinishedAt = Views.After(2), Error = Views.Json("""{"message":"m","details":[1.0]}"""),
            HasResult = true, Token = 5, Worker = "w", DueAt = Views.After(3), Settings = new ExecutionSettings(1, 0, 100),
            Restores = [new RestoreMark(new AgentVersion(4), 0), new RestoreMark(new AgentVersion(9), 3)], SnapshotCount = 2, Reason = "r", Creation = "c",
        };
        Assert.Equal(RunCodec.ToJson(run).ToString(), RunCodec.ToJson(RunCodec.Parse(RunCodec.ToJson(run))).ToString());
        ExecutionRun back = RunCodec.Parse(RunCodec.ToJson(run));
        Assert.Equal(run.Restores, back.Restores);
        Assert.Equal(run.Labels, back.Labels);
        Assert.Equal((run.Settings, run.DueAt, run.Token, run.Worker), (back.Settings, back.DueAt, back.Token, back.Worker));
    }

    [Fact]
    public void No_two_snapshots_share_an_agent()
    {
        string[] parts = ["", "a", "aa", "1:", "1:a", ":", "2", "é", "#", new('x', 256), new('x', 255), new string('y', 512)];
        var seen = new Dictionary<AgentId, (string, string)>();
        foreach (string id in parts.Where(part => part.Length > 0))
        {
            foreach (string name in parts.Where(part => part.Length is > 0 and <= 256))
            {
                AgentId agent = SnapshotAgents.Of(ExecutionKeys.Agent("default", id), name, 512);
                Assert.True(seen.TryAdd(agent, (id, name)), $"{id}, {name}");
                Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(agent.Name), 1, 512);
                Assert.Equal(AgentKind.ExecutionSnapshot, agent.Kind);
            }
        }
    }
}

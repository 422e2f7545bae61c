using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Conformance;

public abstract partial class AgentStateConformance
{
    [Fact]
    public async Task A_put_is_read_back_as_the_same_text_also_after_a_restart()
    {
        const string Value = """{"n":9007199254740993,"list":[{"a":[1,null]}], "dec": 0.1000000000000000055511151231257827, "u":"\u00e9é😀", "z":1, "a":2}""";
        CommitReceipt receipt = await Agent("a").CommitAsync(Put("k", Value));

        await RestartAsync();

        KeyState state = await Agent("a").GetAsync("k");
        Assert.Equal(Value, state.Value.ToString());
        Assert.Equal(new KeyVersion(1), state.Version);
        Assert.Equal(receipt.CommitTs, state.CommitTs);
        Assert.Equal(receipt.Time, state.Time);
        Assert.Equal(receipt.Version, state.AgentVersion);
    }

    [Fact]
    public async Task Key_versions_count_every_operation_and_survive_deletes_and_restarts()
    {
        IAgentState agent = Agent("a");
        await agent.CommitAsync(Put("k", "1"), Put("k", "2"));
        await agent.CommitAsync(Delete("k"));
        await agent.CommitAsync(Delete("never"));
        await RestartAsync();
        CommitReceipt receipt = await Agent("a").CommitAsync(Put("k", "4"));

        Assert.Equal(4, Assert.Single(receipt.KeyVersions).Value);
        Assert.Equal("1", await Agent("a").ReadAsync("k", ReadPoint.AtKeyVersion(new KeyVersion(1))));
        Assert.Equal("2", await Agent("a").ReadAsync("k", ReadPoint.AtKeyVersion(new KeyVersion(2))));
        KeyState tombstone = await Agent("a").GetAsync("k", ReadPoint.AtKeyVersion(new KeyVersion(3)));
        Assert.False(tombstone.Exists);
        Assert.Equal(3, tombstone.Version.Value);
        Assert.Equal("4", await Agent("a").ReadAsync("k"));
        KeyState never = await Agent("a").GetAsync("never");
        Assert.False(never.Exists);
        Assert.Equal(1, never.Version.Value);
    }

    [Fact]
    public async Task A_version_that_never_was_does_not_exist()
    {
        await Agent("a").CommitAsync(Put("k", "1"));
        KeyState state = await Agent("a").GetAsync("k", ReadPoint.AtKeyVersion(new KeyVersion(2)));
        Assert.False(state.Exists);
        Assert.Equal(KeyVersion.None, state.Version);
    }

    [Theory]
    [InlineData(0L, false)]
    [InlineData(1L, true)]
    [InlineData(2L, false)]
    public async Task A_key_precondition_holds_only_at_exactly_that_version(long ifVersion, bool holds)
    {
        IAgentState agent = Agent("a");
        await agent.CommitAsync(Put("k", "1"));
        if (holds)
        {
            await agent.CommitAsync(Put("k", "2", ifVersion));
            return;
        }
        StatehouseException refusal = await RefusalAsync(() => agent.CommitAsync(Put("other", "1"), Put("k", "2", ifVersion)));
        Assert.Equal(ErrorCode.Conflict, refusal.Code);
        Assert.Equal("k", refusal.Details["key"]);
        Assert.Equal("1", refusal.Details["actual"]);
        Assert.Null(await agent.ReadAsync("other"));
        Assert.Single(await agent.HistoryAsync());
    }

    [Fact]
    public async Task Preconditions_see_the_earlier_operations_of_their_own_commit()
    {
        CommitReceipt receipt = await Agent("a").CommitAsync(Put("k", "1", 0), Put("k", "2", 1), Delete("k", 2));
        Assert.Equal([1, 2, 3], receipt.KeyVersions.Select(version => version.Value));
    }

    [Fact]
    public async Task If_live_tells_a_tombstone_from_a_value()
    {
        IAgentState agent = Agent("a");
        Operation create = Put("k", "1") with { IfLive = false };
        await agent.CommitAsync(create);
        Assert.Equal(ErrorCode.Conflict, (await RefusalAsync(() => agent.CommitAsync(create))).Code);
        await agent.CommitAsync(Delete("k") with { IfLive = true });
        Assert.Equal(ErrorCode.Conflict, (await RefusalAsync(() => agent.CommitAsync(Delete("k") with { IfLive = true }))).Code);
        await agent.CommitAsync(create);
    }

    [Fact]
    public async Task An_agent_version_precondition_holds_only_at_exactly_that_version()
    {
        IAgentState agent = Agent("a");
        await agent.CommitAsync(Commit(Put("k", "1")) with { IfAgentVersion = AgentVersion.None }, Cancellation);
        StatehouseException refusal = await RefusalAsync(async () =>
            await agent.CommitAsync(Commit(Put("k", "2")) with { IfAgentVersion = AgentVersion.None }, Cancellation));
        Assert.Equal(ErrorCode.Conflict, refusal.Code);
        await agent.CommitAsync(Commit(Put("k", "2")) with { IfAgentVersion = new AgentVersion(1) }, Cancellation);
    }

    [Fact]
    public async Task A_repeated_idempotency_key_returns_the_first_receipt_and_writes_nothing_also_after_a_restart()
    {
        CommitRequest request = Commit(Put("k", "1"), Put("k", "2")) with { IdempotencyKey = "once", Metadata = Json("""{"why":"test"}""") };
        CommitReceipt first = await Agent("a").CommitAsync(request, Cancellation);
        Assert.False(first.Replayed);
        CommitReceipt again = await Agent("a").CommitAsync(request, Cancellation);
        await RestartAsync();
        CommitReceipt later = await Agent("a").CommitAsync(request, Cancellation);

        foreach (CommitReceipt repeat in new[] { again, later })
        {
            Assert.True(repeat.Replayed);
            Assert.Equal((first.Version, first.CommitTs, first.Time, first.TxnId, first.Hash), (repeat.Version, repeat.CommitTs, repeat.Time, repeat.TxnId, repeat.Hash));
            Assert.Equal(first.KeyVersions, repeat.KeyVersions);
            Assert.Equal(first.Metadata.ToString(), repeat.Metadata.ToString());
        }
        Assert.Single(await Agent("a").HistoryAsync());
    }

    [Fact]
    public async Task A_repeated_idempotency_key_with_other_content_is_refused()
    {
        IAgentState agent = Agent("a");
        await agent.CommitAsync(Commit(Put("k", "1")) with { IdempotencyKey = "once" }, Cancellation);
        StatehouseException refusal = await RefusalAsync(async () =>
            await agent.CommitAsync(Commit(Put("k", "2")) with { IdempotencyKey = "once" }, Cancellation));
        Assert.Equal(ErrorCode.IdempotencyKeyReused, refusal.Code);
        Assert.Equal("1", await agent.ReadAsync("k"));
    }

    [Fact]
    public async Task The_same_idempotency_key_at_once_from_many_callers_writes_one_commit()
    {
        CommitRequest request = Commit(Put("k", "1")) with { IdempotencyKey = "once" };
        CommitReceipt[] receipts = await Task.WhenAll(Enumerable.Range(0, 32).Select(async _ => await Agent("a").CommitAsync(request, Cancellation)));
        Assert.Single(receipts, receipt => !receipt.Replayed);
        Assert.Single(receipts.Select(receipt => receipt.Hash).Distinct());
        Assert.Single(await Agent("a").HistoryAsync());
    }

    [Fact]
    public async Task Sixty_four_writers_that_retry_on_conflict_lose_no_increment()
    {
        IAgentState agent = Agent("counter");
        await agent.CommitAsync(Put("n", "0"));
        await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(async () =>
        {
            for (int done = 0; done < 5;)
            {
                KeyState now = await agent.GetAsync("n");
                long next = long.Parse(now.Value.ToString(), System.Globalization.CultureInfo.InvariantCulture) + 1;
                try
                {
                    await agent.CommitAsync(Put("n", next.ToString(System.Globalization.CultureInfo.InvariantCulture), now.Version.Value));
                    done++;
                }
                catch (StateConflictException)
                {
                    // Somebody was first: read again.
                }
            }
        }, Cancellation)));
        Assert.Equal("320", await agent.ReadAsync("n"));
        AssertChain(Id("counter"), await agent.HistoryAsync());
    }

    [Fact]
    public async Task A_refused_request_names_field_limit_and_value_and_writes_nothing()
    {
        IAgentState agent = Agent("a");
        string long1025 = new('k', 1025);
        (Func<Task> Act, ErrorCode Code, string Field)[] cases =
        [
            (() => agent.CommitAsync(), ErrorCode.InvalidArgument, "operations"),
            (() => agent.CommitAsync([.. Enumerable.Repeat(Put("k", "1"), 1001)]), ErrorCode.LimitExceeded, "operations"),
            (() => agent.CommitAsync(Put("", "1")), ErrorCode.InvalidArgument, "operations[0].key"),
            (() => agent.CommitAsync(Put("a\0b", "1")), ErrorCode.InvalidArgument, "operations[0].key"),
            (() => agent.CommitAsync(Put(long1025, "1")), ErrorCode.LimitExceeded, "operations[0].key"),
            (() => agent.CommitAsync(Put("k", $"\"{new string('v', 1024 * 1024 - 1)}\"")), ErrorCode.LimitExceeded, "operations[0].value"),
            (() => agent.CommitAsync([.. Enumerable.Range(0, 9).Select(i => Put($"k{i}", $"\"{new string('v', 1000 * 1000)}\""))]), ErrorCode.LimitExceeded, "commit"),
            (async () => await agent.CommitAsync(Commit(Put("k", "1")) with { IdempotencyKey = "" }, Cancellation), ErrorCode.InvalidArgument, "idempotency_key"),
            (async () => await agent.CommitAsync(Commit(Put("k", "1")) with { Metadata = Json("[1]") }, Cancellation), ErrorCode.InvalidArgument, "metadata"),
            (async () => await agent.CommitAsync(Commit(Put("k", "1")) with { Metadata = Json($$"""{"m":"{{new string('m', 16 * 1024)}}"}""") }, Cancellation), ErrorCode.LimitExceeded, "metadata"),
            (() => Agent("").CommitAsync(Put("k", "1")), ErrorCode.InvalidArgument, "agent"),
            (() => Agent("a\0").CommitAsync(Put("k", "1")), ErrorCode.InvalidArgument, "agent"),
            (() => Agent("a\ud800").CommitAsync(Put("k", "1")), ErrorCode.InvalidArgument, "agent"),
            (() => Agent(new string('a', 513)).CommitAsync(Put("k", "1")), ErrorCode.LimitExceeded, "agent"),
            (() => Agent("a", "").CommitAsync(Put("k", "1")), ErrorCode.InvalidArgument, "namespace"),
            (() => Agent("a", new string('n', 129)).CommitAsync(Put("k", "1")), ErrorCode.LimitExceeded, "namespace"),
        ];
        foreach ((Func<Task> act, ErrorCode code, string field) in cases)
        {
            StatehouseException refusal = await RefusalAsync(act);
            Assert.Equal((code, field), (refusal.Code, refusal.Details["field"]));
            Assert.Contains("limit", refusal.Details);
            Assert.Contains("value", refusal.Details);
        }
        Assert.Empty(await agent.HistoryAsync());
        await agent.CommitAsync(Put("k", "1"));
    }

    [Fact]
    public async Task Time_never_runs_backwards_and_positions_grow_along_an_agent()
    {
        IAgentState agent = Agent("a");
        for (int i = 0; i < 50; i++)
            await agent.CommitAsync(Put("k", "1"));
        AssertChain(Id("a"), await agent.HistoryAsync());
    }

    [Fact]
    public async Task No_choice_of_characters_makes_two_agents_or_keys_meet()
    {
        (string Namespace, string Agent)[] ids =
        [
            ("a", "b/c"), ("a/b", "c"), ("a:b", "c"), ("a", "b:c"), ("a%2Fb", "c"), ("..", "."), (".", ".."), ("default", "é"),
            ("default", "e\u0301"), ("default", "😀"), ("default", "A"), ("default", "a"), ("default", "a "), ("default", "a\u0001"), ("DEFAULT", "a"),
            ("'; drop table stream; --", "\"\\"), ("default", "a%00"), ("default", "\u2028"),
        ];
        foreach ((string ns, string name) in ids)
            await Agent(name, ns).CommitAsync(Put("k/1", $"\"{ids.ToList().IndexOf((ns, name))}\""), Put("k:1", "1"), Put("k", "2"));
        await RestartAsync();
        for (int i = 0; i < ids.Length; i++)
        {
            Assert.Equal($"\"{i}\"", await Agent(ids[i].Agent, ids[i].Namespace).ReadAsync("k/1"));
            Assert.Single(await Agent(ids[i].Agent, ids[i].Namespace).HistoryAsync());
        }
    }
}

using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Agents.Tests;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Grains.Tests;

/// <summary>An Orleans client that calls grains itself, past a gateway's door: the grains refuse what no gateway would send.</summary>
public sealed class DirectClientTests : SiloTest
{
    [Fact]
    public async Task A_key_that_no_agent_has_is_refused_on_every_call_and_the_silo_lives_on()
    {
        foreach (string key in (string[])["a", "a/b/c/d", "other/default/a", "default/%41", "default/%zz", "default/a b", "default/", "/a", "execution//run"])
            await AssertRefusedAsync(ErrorCode.InvalidArgument, Silos.Client.GetGrain<IAgentStateGrain>(key));
        Assert.Equal(1, (await Agent("a").CommitAsync(Put("k", "1"))).Version.Value);
    }

    [Fact]
    public async Task An_agent_over_the_limits_is_refused_on_every_call_with_the_limit()
    {
        foreach ((AgentId agent, string field) in new[]
        {
            (new AgentId(new string('n', 129), "a"), "namespace"),
            (new AgentId("default", new string('a', 513)), "agent"),
            (new AgentId("default", new string('ä', 257)), "agent"),
        })
        {
            foreach (StatehouseException refusal in await AssertRefusedAsync(ErrorCode.LimitExceeded, Silos.GrainOf(agent)))
                Assert.Equal(field, refusal.Details["field"]);
        }
        await AssertRefusedAsync(ErrorCode.InvalidArgument, Silos.GrainOf(new AgentId("default", "nul\0")));
        Assert.Empty((await Agents.ListAsync("default", "", null, 10, Cancellation)).Items);
    }

    [Fact]
    public async Task A_commit_that_breaks_the_rules_is_refused_with_code_and_details_and_nothing_is_written()
    {
        IAgentStateGrain grain = Silos.GrainOf(Id("a"));
        foreach ((CommitRequest request, ErrorCode code, string field) in new[]
        {
            (new CommitRequest([]), ErrorCode.InvalidArgument, "operations"),
            (new CommitRequest(default(ImmutableArray<Operation>)), ErrorCode.InvalidArgument, "operations"),
            (Commit(Put(new string('k', 1025), "1")), ErrorCode.LimitExceeded, "operations[0].key"),
            (Commit(Put("k", "1"), Put("nul\0", "1")), ErrorCode.InvalidArgument, "operations[1].key"),
            (Commit(new Operation(OperationKind.Put, new Key("k"), default)), ErrorCode.InvalidArgument, "operations[0].value"),
            (Commit(Put("k", $"\"{new string('v', 1024 * 1024)}\"")), ErrorCode.LimitExceeded, "operations[0].value"),
            (Commit(Put("k", "1", ifVersion: -1)), ErrorCode.InvalidArgument, "operations[0].if_version"),
            (new CommitRequest([.. Enumerable.Range(0, 1001).Select(i => Put($"{i}", "1"))]), ErrorCode.LimitExceeded, "operations"),
            (Commit(Put("k", "1")) with { IdempotencyKey = "" }, ErrorCode.InvalidArgument, "idempotency_key"),
            (Commit(Put("k", "1")) with { Metadata = Json("[]") }, ErrorCode.InvalidArgument, "metadata"),
        })
        {
            StatehouseException? refusal = await FaultOf(WithinAsync(grain.CommitAsync(request, Cancellation).AsTask(), "a refusal"));
            Assert.IsType<RefusedException>(refusal);
            Assert.Equal((code, field), (refusal.Code, refusal.Details["field"]));
        }
        Assert.IsType<RefusedException>(await FaultOf(grain.GetAsync(new GetRequest(new Key("")), Cancellation).AsTask()));
        Assert.IsType<RefusedException>(await FaultOf(grain.ScanAsync(new ScanRequest(default, default, 0), Cancellation).AsTask()));
        Assert.IsType<RefusedException>(await FaultOf(grain.GetCommitsAsync(new HistoryRequest(default, null, 1001), Cancellation).AsTask()));
        Assert.Empty(Store.JournalOf(Id("a")));
        Assert.Equal(1, (await grain.CommitAsync(Put("k", "1"))).Version.Value);
    }

    [Fact]
    public async Task A_transaction_that_breaks_the_rules_is_refused_by_its_coordinator()
    {
        ITransactionGrain coordinator = Silos.Client.GetGrain<ITransactionGrain>(7);
        foreach ((ImmutableArray<AgentCommitRequest> commits, ErrorCode code, string field) in new[]
        {
            (default, ErrorCode.InvalidArgument, "commits"),
            (Together((Id("a"), Commit(Put("k", "1"))), (Id("a"), Commit(Put("k", "2")))), ErrorCode.InvalidArgument, "commits"),
            (Together((Id("a"), Commit(Put("k", "1"))), (new AgentId(new string('n', 129), "b"), Commit(Put("k", "2")))), ErrorCode.LimitExceeded, "namespace"),
            (Together((Id("a"), Commit(Put("", "1"))), (Id("b"), Commit(Put("k", "2")))), ErrorCode.InvalidArgument, "operations[0].key"),
        })
        {
            StatehouseException? refusal = await FaultOf(coordinator.CommitTogetherAsync(commits, Cancellation).AsTask());
            Assert.IsType<RefusedException>(refusal);
            Assert.Equal((code, field), (refusal.Code, refusal.Details["field"]));
        }
        Assert.Empty(Store.JournalOf(Id("a")));
    }

    /// <summary>Every call of a grain, each of which must be refused.</summary>
    private static async Task<List<StatehouseException>> AssertRefusedAsync(ErrorCode code, IAgentStateGrain grain)
    {
        var refusals = new List<StatehouseException>();
        foreach (Func<Task> call in new Func<Task>[]
        {
            async () => await grain.GetHeadAsync(Consistency.Default, Cancellation),
            async () => await grain.GetAsync(new GetRequest(new Key("k")), Cancellation),
            async () => await grain.ScanAsync(new ScanRequest(default, default, 10), Cancellation),
            async () => await grain.CommitAsync(Commit(Put("k", "1")), Cancellation),
            async () => await grain.GetCommitsAsync(new HistoryRequest(default, null, 10), Cancellation),
            async () => await grain.GetCommitAsync(new AgentVersion(1), Cancellation),
            () => EnumerateAsync(grain.ReplayAsync(AgentVersion.None, follow: false, Cancellation)),
            () => EnumerateAsync(grain.ReplayAsync(AgentVersion.None, follow: true, Cancellation)),
            () => EnumerateAsync(grain.ReplayRangeAsync(default, new CommitTs(1), Cancellation)),
            async () => await grain.AsReference<IAgentParticipantGrain>().HoldAsync(new HoldRequest(Guid.NewGuid(), Commit(Put("k", "1")), TimeSpan.FromSeconds(1)), Cancellation),
            async () => await grain.AsReference<IAgentParticipantGrain>().EndAsync(Guid.NewGuid(), new HoldEnd(HoldOutcome.Unknown), Cancellation),
        })
        {
            StatehouseException? refusal = await FaultOf(WithinAsync(call(), "a refusal"));
            Assert.IsType<RefusedException>(refusal);
            Assert.Equal(code, refusal.Code);
            refusals.Add(refusal);
        }
        return refusals;
    }

    private static async Task EnumerateAsync(IAsyncEnumerable<JournalCommit> commits)
    {
        await foreach (JournalCommit _ in commits)
        {
        }
    }
}

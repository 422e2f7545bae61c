using System.Collections.Immutable;

namespace Statehouse.Grains.Tests;

/// <summary>Calls through a real client, gateway and silo.</summary>
public sealed class GrainCallTests(EchoCluster cluster) : IClassFixture<EchoCluster>
{
    private static readonly Guid TxnId = Guid.Parse("0191e1f0-0000-7000-8000-00000000002a");

    public static IEnumerable<TheoryDataRow<string>> Exceptions => ExceptionSamples.All.Keys.Select(name => new TheoryDataRow<string>(name));

    private static CancellationToken Bound => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_agents_calls_carry_their_requests_and_answers()
    {
        var agent = new AgentId("calls", "agent");
        IAgentState state = Agent(agent);

        AssertSame("AgentHead.full", await state.GetHeadAsync(Consistency.Strong, Bound));
        AssertSame("KeyState.full", await state.GetAsync((GetRequest)Samples.All["GetRequest.full"], Bound));
        AssertSame("ScanPage.full", await state.ScanAsync((ScanRequest)Samples.All["ScanRequest.full"], Bound));
        AssertSame("CommitReceipt.full", await state.CommitAsync((CommitRequest)Samples.All["CommitRequest.full"], Bound));
        AssertSame("HistoryPage.full", await state.GetCommitsAsync((HistoryRequest)Samples.All["HistoryRequest.full"], Bound));
        AssertSame("JournalCommit.full", await state.GetCommitAsync(new AgentVersion(7), Bound));

        AssertReceived(agent, nameof(state.GetHeadAsync), Consistency.Strong);
        AssertReceived(agent, nameof(state.GetAsync), Samples.All["GetRequest.full"]);
        AssertReceived(agent, nameof(state.ScanAsync), Samples.All["ScanRequest.full"]);
        AssertReceived(agent, nameof(state.CommitAsync), Samples.All["CommitRequest.full"]);
        AssertReceived(agent, nameof(state.GetCommitsAsync), Samples.All["HistoryRequest.full"]);
        AssertReceived(agent, nameof(state.GetCommitAsync), new AgentVersion(7));
    }

    [Fact]
    public async Task A_participants_calls_carry_their_requests_and_answers()
    {
        var agent = new AgentId("calls", "participant");
        var participant = cluster.Client.GetGrain<IAgentParticipantGrain>(AgentGrainKey.Of(agent));
        var hold = (HoldRequest)Samples.All["HoldRequest.full"];
        var end = (HoldEnd)Samples.All["HoldEnd.committed"];

        AssertSame("HeldAgent.commit", await participant.HoldAsync(hold, Bound));
        await participant.EndAsync(TxnId, end, Bound);

        AssertReceived(agent, nameof(participant.HoldAsync), hold);
        AssertReceived(agent, nameof(participant.EndAsync), TxnId, end);
    }

    [Fact]
    public async Task A_coordinators_call_carries_its_requests_and_answers()
    {
        ImmutableArray<AgentCommitRequest> commits =
            [(AgentCommitRequest)Samples.All["AgentCommitRequest.full"], (AgentCommitRequest)Samples.All["AgentCommitRequest.reads-only"]];
        ImmutableArray<CommitReceipt> receipts = await cluster.Client.GetGrain<ITransactionGrain>(0).CommitTogetherAsync(commits, Bound);
        Assert.Equal(2, receipts.Length);
        AssertSame("CommitReceipt.full", receipts[1]);
        Assert.Equal(Description.Of(commits), Description.Of(EchoTransactionGrain.Received));
    }

    [Theory]
    [MemberData(nameof(Exceptions))]
    public async Task An_exception_arrives_as_its_class(string name)
    {
        IAgentState state = Agent(new AgentId("calls", "throws"));
        Exception? error = await Record.ExceptionAsync(async () => await state.GetAsync(new GetRequest(new Key(name)), Bound));
        Assert.IsType(ExceptionSamples.ArrivesAs(name), error);
        Assert.Equal(Description.Of(ExceptionSamples.All[name]), Description.Of(error));
    }

    [Fact]
    public async Task A_replay_arrives_in_order_and_whole()
    {
        List<long> versions = [];
        await foreach (JournalCommit commit in Agent(new AgentId("calls", "replay")).ReplayAsync(new AgentVersion(5), follow: false, Bound))
            versions.Add(commit.Version.Value);
        Assert.Equal(Enumerable.Range(5, 250).Select(i => (long)i), versions);
    }

    [Fact]
    public async Task A_follower_that_is_cancelled_ends()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Bound);
        int seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (JournalCommit _ in Agent(new AgentId("calls", "follow")).ReplayAsync(new AgentVersion(1), follow: true, stop.Token))
            {
                if (++seen == 250)
                    await stop.CancelAsync();
            }
        });
        Assert.Equal(250, seen);
    }

    [Fact]
    public async Task An_exception_within_a_replay_arrives_as_its_class_after_what_came_before()
    {
        List<JournalCommit> commits = [];
        HistoryTrimmedException error = await Assert.ThrowsAsync<HistoryTrimmedException>(async () =>
        {
            await foreach (JournalCommit commit in Agent(new AgentId("calls", "trimmed")).ReplayRangeAsync(new CommitTs(1), new CommitTs(2), Bound))
                commits.Add(commit);
        });
        Assert.Equal(ErrorCode.HistoryTrimmed, error.Code);
        Assert.Equal(
            [Description.Of(Samples.All["JournalCommit.full"]), Description.Of(Samples.All["JournalCommit.unacknowledged"])],
            commits.Select(Description.Of));
    }

    [Fact]
    public async Task A_cancelled_call_ends_in_the_grain_too()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Bound);
        var agent = new AgentId("calls", "cancelled");
        Task call = cluster.Client.GetGrain<IAgentParticipantGrain>(AgentGrainKey.Of(agent)).EndAsync(Guid.NewGuid(), new HoldEnd(HoldOutcome.Unknown), stop.Token).AsTask();
        await EchoGrain.Ending(agent).Task.WaitAsync(TimeSpan.FromSeconds(30), Bound);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        // The grain takes one call at a time: the next one shows that the first has left it.
        Assert.NotNull(await Agent(agent).GetHeadAsync(Consistency.Default, Bound));
    }

    [Fact]
    public async Task A_commit_of_unchecked_text_is_refused_before_the_agent_sees_it_and_the_connection_lives_on()
    {
        var agent = new AgentId("calls", "unchecked");
        var request = new CommitRequest([new Operation(OperationKind.Put, new Key("k"), JsonText.Trusted("{\"a\":"u8.ToArray()))]);
        RefusedException refusal = await Assert.ThrowsAsync<RefusedException>(async () => await Agent(agent).CommitAsync(request, Bound));
        Assert.Equal(ErrorCode.InvalidArgument, refusal.Code);
        Assert.Equal("value", refusal.Details["field"]);
        Assert.False(EchoGrain.Received.ContainsKey((agent, nameof(IAgentState.CommitAsync))));
        AssertSame("CommitReceipt.full", await Agent(agent).CommitAsync((CommitRequest)Samples.All["CommitRequest.one-put"], Bound));
    }

    [Fact]
    public async Task Within_a_silo_the_request_and_the_answer_are_the_same_objects()
    {
        var agent = new AgentId("calls", "in-silo");
        var request = (CommitRequest)Samples.All["CommitRequest.full"];
        CommitReceipt receipt = await cluster.InSilo.GetGrain<IAgentStateGrain>(AgentGrainKey.Of(agent)).CommitAsync(request, Bound);
        Assert.Same(Samples.All["CommitReceipt.full"], receipt);
        Assert.Same(request, Assert.Single(EchoGrain.Received[(agent, nameof(IAgentState.CommitAsync))]));
    }

    [Theory]
    [InlineData("a/b", "c")]
    [InlineData("a", "b/c")]
    [InlineData("+", "1+2")]
    [InlineData(" ", "\t\n\0")]
    [InlineData("%", "%2F😀")]
    public async Task An_odd_name_reaches_its_own_grain(string @namespace, string name)
    {
        foreach (AgentKind kind in Enum.GetValues<AgentKind>())
        {
            var agent = new AgentId(kind, @namespace, name);
            await Agent(agent).GetHeadAsync(Consistency.Default, Bound);
            AssertReceived(agent, nameof(IAgentState.GetHeadAsync), Consistency.Default);
        }
    }

    private IAgentStateGrain Agent(AgentId agent) => cluster.Client.GetGrain<IAgentStateGrain>(AgentGrainKey.Of(agent));

    private static void AssertSame(string sample, object? answer) => Assert.Equal(Description.Of(Samples.All[sample]), Description.Of(answer));

    private static void AssertReceived(AgentId agent, string method, params object[] arguments) =>
        Assert.Equal(arguments.Select(Description.Of), EchoGrain.Received[(agent, method)].Select(Description.Of));
}

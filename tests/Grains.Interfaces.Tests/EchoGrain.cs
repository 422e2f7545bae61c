using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Statehouse.Grains.Tests;

/// <summary>Answers with samples and keeps what arrived; throws the sample whose name a key holds.</summary>
public sealed class EchoGrain : Grain, IAgentStateGrain, IAgentParticipantGrain
{
    /// <summary>The arguments of the last call by agent and method; the test runs in the silo's process.</summary>
    internal static readonly ConcurrentDictionary<(AgentId Agent, string Method), object?[]> Received = new();

    private static readonly ConcurrentDictionary<AgentId, TaskCompletionSource> Entered = new();

    /// <summary>Completes when <see cref="EndAsync"/> of an agent has begun to wait.</summary>
    internal static TaskCompletionSource Ending(AgentId agent) =>
        Entered.GetOrAdd(agent, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public ValueTask<AgentHead> GetHeadAsync(Consistency consistency, CancellationToken cancellationToken) =>
        Echo<AgentHead>("AgentHead.full", [consistency]);

    public ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken)
    {
        if (ExceptionSamples.All.TryGetValue(request.Key.ToString(), out StatehouseException? error))
            throw error;
        return Echo<KeyState>("KeyState.full", [request]);
    }

    public ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken) =>
        Echo<ScanPage>("ScanPage.full", [request]);

    public ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken) =>
        Echo<CommitReceipt>("CommitReceipt.full", [request]);

    public ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken) =>
        Echo<HistoryPage>("HistoryPage.full", [request]);

    public ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken) =>
        Echo<JournalCommit>("JournalCommit.full", [version]);

    /// <summary>250 commits, then waits until it is cancelled where it follows.</summary>
    public async IAsyncEnumerable<JournalCommit> ReplayAsync(
        AgentVersion from, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Keep([from, follow], nameof(ReplayAsync));
        for (long version = from.Value; version < from.Value + 250; version++)
            yield return (JournalCommit)Samples.All["JournalCommit.full"] with { Version = new AgentVersion(version) };
        if (follow)
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }

    /// <summary>Two commits, then a refusal.</summary>
    public async IAsyncEnumerable<JournalCommit> ReplayRangeAsync(
        CommitTs from, CommitTs to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Keep([from, to], nameof(ReplayRangeAsync));
        yield return (JournalCommit)Samples.All["JournalCommit.full"];
        yield return (JournalCommit)Samples.All["JournalCommit.unacknowledged"];
        await Task.Yield();
        throw ExceptionSamples.All["Exception.trimmed"];
    }

    public ValueTask<HeldAgent> HoldAsync(HoldRequest request, CancellationToken cancellationToken) =>
        Echo<HeldAgent>("HeldAgent.commit", [request]);

    /// <summary>Waits until it is cancelled where the outcome is unknown.</summary>
    public async ValueTask EndAsync(Guid holdId, HoldEnd end, CancellationToken cancellationToken)
    {
        Keep([holdId, end], nameof(EndAsync));
        if (end.Outcome != HoldOutcome.Unknown)
            return;
        Ending(AgentGrainKey.Parse(this.GetPrimaryKeyString())).SetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }

    private ValueTask<T> Echo<T>(string sample, object?[] arguments, [CallerMemberName] string method = "")
    {
        Keep(arguments, method);
        return ValueTask.FromResult((T)Samples.All[sample]);
    }

    private void Keep(object?[] arguments, string method) =>
        Received[(AgentGrainKey.Parse(this.GetPrimaryKeyString()), method)] = arguments;
}

/// <summary>Answers with a receipt for each.</summary>
[Orleans.Concurrency.StatelessWorker]
public sealed class EchoTransactionGrain : Grain, ITransactionGrain
{
    internal static ImmutableArray<AgentCommitRequest> Received { get; private set; }

    public ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken)
    {
        Received = commits;
        return ValueTask.FromResult(commits.Select(_ => (CommitReceipt)Samples.All["CommitReceipt.full"]).ToImmutableArray());
    }
}

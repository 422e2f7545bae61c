using System.Runtime.CompilerServices;
using Statehouse.Agents;
using Statehouse.Agents.Hosting;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>One agent of a cluster, as a gateway holds it. Cheap: the grain is found anew at each call.</summary>
internal sealed class ClusterAgent(AgentGrains grains, IJournalStore store, AgentId agent, TimeProvider clock, IOperatorLog log) : IAgentState
{
    // A follower's page crosses the cluster as one message: so many commits of the largest size still fit into it.
    private const int FollowBatch = 8;

    // A silo that was killed is declared dead well within this; a follower whose agent did not answer for longer is told.
    private static readonly TimeSpan FollowPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FollowRetryEvery = TimeSpan.FromMilliseconds(250);

    private NextSilo NextSilo => new(grains, clock);

    public ValueTask<AgentHead> GetHeadAsync(Consistency consistency, CancellationToken cancellationToken) =>
        ReadAsync(grain => grain.GetHeadAsync(consistency, cancellationToken), cancellationToken);

    public ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken) =>
        ReadAsync(grain => grain.GetAsync(request, cancellationToken), cancellationToken);

    public ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken) =>
        ReadAsync(grain => grain.ScanAsync(request, cancellationToken), cancellationToken);

    public async ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        for (bool isRepeat = false; ; isRepeat = true)
        {
            try
            {
                return await grains.StateOf(agent).CommitAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (ClusterFaults.IsFault(error, cancellationToken))
            {
                await NextSilo.AwaitAsync(agent, cancellationToken).ConfigureAwait(false);
                // With a key a repeat is the same commit, whatever became of the first; without one only the caller may decide.
                if (isRepeat || request.IdempotencyKey is null)
                    throw ClusterFaults.OutcomeUnknown($"agent {agent}", error);
            }
        }
    }

    public ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken) =>
        ReadAsync(grain => grain.GetCommitsAsync(request, cancellationToken), cancellationToken);

    public ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken) =>
        ReadAsync(grain => grain.GetCommitAsync(version, cancellationToken), cancellationToken);

    public async IAsyncEnumerable<JournalCommit> ReplayAsync(
        AgentVersion from, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        AgentVersion next = from < AgentVersion.None.Next ? AgentVersion.None.Next : from;
        // What the agent shows by now is read from the store: a long history need not pass through a silo.
        if (await FindHeadAsync(cancellationToken).ConfigureAwait(false) is { } head && next <= head.Version)
        {
            await foreach (JournalCommit commit in store.ReadForwardAsync(new JournalHandle(agent), next, head.Version, cancellationToken).ConfigureAwait(false))
            {
                yield return commit;
                next = commit.Version.Next;
            }
        }
        if (!follow)
            yield break;
        await foreach (JournalCommit commit in FollowAsync(next, cancellationToken).ConfigureAwait(false))
            yield return commit;
    }

    public async IAsyncEnumerable<JournalCommit> ReplayRangeAsync(
        CommitTs from, CommitTs to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (await FindHeadAsync(cancellationToken).ConfigureAwait(false) is not { } head)
            yield break;
        await foreach (JournalCommit commit in StoreReads.ReplayRangeAsync(
            store, new JournalHandle(agent), head.Version, head.CommitTs, from, to, cancellationToken).ConfigureAwait(false))
        {
            yield return commit;
        }
    }

    /// <summary>Follows the grain, and, where its silo goes, the next activation from where the last one stopped.</summary>
    private async IAsyncEnumerable<JournalCommit> FollowAsync(AgentVersion next, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            IAgentStateGrain grain = grains.TryStateOf(agent)
                ?? throw new JournalUnavailableException($"This server is stopping; agent {agent} can be followed on another one.");
            IAsyncEnumerator<JournalCommit> commits = grain.ReplayAsync(next, follow: true, cancellationToken)
                .WithBatchSize(FollowBatch).GetAsyncEnumerator(cancellationToken);
            try
            {
                while (await MoveNextAsync(commits, cancellationToken).ConfigureAwait(false))
                {
                    next = commits.Current.Version.Next;
                    yield return commits.Current;
                }
            }
            finally
            {
                // Tells the silo, which may be gone: nobody waits for its answer.
                _ = commits.DisposeAsync().AsTask();
            }
            await AwaitAnswerAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <returns>false where the silo is gone and the next one is to be asked.</returns>
    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<JournalCommit> commits, CancellationToken cancellationToken)
    {
        try
        {
            ValueTask<bool> next = commits.MoveNextAsync();
            // Orleans passes cancellation on to the silo and waits for it; whoever gave up does not.
            return await (next.IsCompleted ? next : new ValueTask<bool>(next.AsTask().WaitAsync(cancellationToken))).ConfigureAwait(false);
        }
        catch (EnumerationAbortedException)
        {
            return false;
        }
        catch (Exception error) when (ClusterFaults.IsFault(error, cancellationToken))
        {
            log.Write(OperatorLogLevel.Warning, $"The silo of agent {agent}, which is followed here, does not answer; the next one is asked.", error);
            return false;
        }
    }

    /// <summary>Returns when the agent's next silo answers.</summary>
    /// <exception cref="JournalUnavailableException">SH-2001. None does, or the journal is away.</exception>
    private async Task AwaitAnswerAsync(CancellationToken cancellationToken)
    {
        long began = clock.GetTimestamp();
        while (true)
        {
            await Task.Delay(FollowRetryEvery, clock, cancellationToken).ConfigureAwait(false);
            try
            {
                await FindHeadAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (JournalUnavailableException) when (clock.GetElapsedTime(began) < FollowPatience && grains.TryStateOf(agent) is not null)
            {
                // The agent's silo is not known to be gone yet, or the next one is not there.
            }
        }
    }

    private async ValueTask<AgentHead?> FindHeadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await GetHeadAsync(Consistency.Default, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException refusal) when (refusal.Code == ErrorCode.NotFound)
        {
            return null;
        }
    }

    private async ValueTask<T> ReadAsync<T>(Func<IAgentStateGrain, ValueTask<T>> read, CancellationToken cancellationToken)
    {
        for (bool isRepeat = false; ; isRepeat = true)
        {
            try
            {
                return await read(grains.StateOf(agent)).ConfigureAwait(false);
            }
            catch (Exception error) when (ClusterFaults.IsFault(error, cancellationToken))
            {
                if (isRepeat)
                    throw ClusterFaults.NothingWritten(agent, error);
                await NextSilo.AwaitAsync(agent, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}

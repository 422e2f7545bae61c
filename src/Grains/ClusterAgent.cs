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

    // A silo that was killed is declared dead well within this; a follower that waited longer is told.
    private static readonly TimeSpan FollowPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FollowRetryEvery = TimeSpan.FromMilliseconds(250);

    private readonly IAgentStateGrain _grain = grains.StateOf(agent);

    public ValueTask<AgentHead> GetHeadAsync(Consistency consistency, CancellationToken cancellationToken) =>
        ReadAsync(_grain.GetHeadAsync(consistency, cancellationToken));

    public ValueTask<KeyState> GetAsync(GetRequest request, CancellationToken cancellationToken) =>
        ReadAsync(_grain.GetAsync(request, cancellationToken));

    public ValueTask<ScanPage> ScanAsync(ScanRequest request, CancellationToken cancellationToken) =>
        ReadAsync(_grain.ScanAsync(request, cancellationToken));

    public async ValueTask<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await _grain.CommitAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (ClusterFaults.IsFault(error))
        {
            throw ClusterFaults.OutcomeUnknown($"agent {agent}", error);
        }
    }

    public ValueTask<HistoryPage> GetCommitsAsync(HistoryRequest request, CancellationToken cancellationToken) =>
        ReadAsync(_grain.GetCommitsAsync(request, cancellationToken));

    public ValueTask<JournalCommit> GetCommitAsync(AgentVersion version, CancellationToken cancellationToken) =>
        ReadAsync(_grain.GetCommitAsync(version, cancellationToken));

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
        long lastHeard = clock.GetTimestamp();
        while (true)
        {
            await using IAsyncEnumerator<JournalCommit> commits = _grain.ReplayAsync(next, follow: true, cancellationToken)
                .WithBatchSize(FollowBatch).GetAsyncEnumerator(cancellationToken);
            while (await MoveNextAsync(commits, lastHeard).ConfigureAwait(false))
            {
                lastHeard = clock.GetTimestamp();
                next = commits.Current.Version.Next;
                yield return commits.Current;
            }
            await Task.Delay(FollowRetryEvery, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <returns>false where the silo is gone and the next one is to be asked.</returns>
    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<JournalCommit> commits, long lastHeard)
    {
        try
        {
            return await commits.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (ClusterFaults.IsFault(error))
        {
            if (clock.GetElapsedTime(lastHeard) > FollowPatience)
                throw ClusterFaults.NothingWritten(agent, error);
            log.Write(OperatorLogLevel.Warning, $"The silo of agent {agent}, which is followed here, does not answer; the next one is asked.", error);
            return false;
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

    private async ValueTask<T> ReadAsync<T>(ValueTask<T> reading)
    {
        try
        {
            return await reading.ConfigureAwait(false);
        }
        catch (Exception error) when (ClusterFaults.IsFault(error))
        {
            throw ClusterFaults.NothingWritten(agent, error);
        }
    }
}

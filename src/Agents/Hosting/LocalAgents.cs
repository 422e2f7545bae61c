using System.Collections.Concurrent;
using System.Collections.Immutable;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>All agents of a store, hosted in this one process.</summary>
/// <remarks>
/// Nothing is loaded at start: a million agents on disk cost nothing until they are used. Several processes may host
/// the same agents of a shared store; the journal's fence keeps them apart (I4), at the price of conflicts.
/// </remarks>
public sealed class LocalAgents : IAgents, IResidentAgents, IAsyncDisposable
{
    private readonly ConcurrentDictionary<AgentId, ResidentAgent> _resident = new();
    private readonly AgentHosting _hosting;
    private readonly StoreReads _reads;
    private readonly ResidentSweeper _sweeper;

    /// <param name="journal">Stays the caller's to drain and dispose, after this.</param>
    /// <param name="options">Memory and patience.</param>
    /// <param name="limits">What requests may hold.</param>
    /// <param name="clock">Commit times, idleness.</param>
    /// <param name="log">Hears what an operator should know.</param>
    /// <param name="indexOf">As <see cref="AgentHosting"/> takes it.</param>
    public LocalAgents(
        IJournal journal, LocalAgentsOptions options, Limits limits, TimeProvider clock, IOperatorLog log,
        Func<AgentState, Commit, IndexRow?>? indexOf = null)
    {
        _hosting = new AgentHosting(journal, options, limits, clock, log, indexOf);
        _reads = new StoreReads(journal.Store, limits);
        _sweeper = new ResidentSweeper(_resident, _hosting);
    }

    /// <summary>Agents in memory.</summary>
    public int ResidentCount => _resident.Count;

    /// <summary>The highest commit_ts that this process has seen become durable.</summary>
    public CommitTs FeedPosition => _hosting.FeedPosition;

    public IAgentState Get(AgentId agent)
    {
        CommitRules.CheckAgent(agent, _hosting.Limits);
        return new AgentReference(this, agent, _hosting.Limits);
    }

    public ValueTask<AgentPage> ListAsync(
        string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken) =>
        _reads.ListAsync(@namespace, prefix, afterExclusive, limit, cancellationToken);

    public async ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken)
    {
        CommitRules.CheckTogether(commits, _hosting.Limits);
        if (commits.Length == 1)
            return [await Get(commits[0].Agent).CommitAsync(commits[0].Commit, cancellationToken).ConfigureAwait(false)];
        var together = new TogetherCommit(_hosting, id => new LocalShare(() => Find(id)));
        return await together.CommitAsync(commits, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<FeedPage> ReadFeedAsync(
        CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken)
    {
        FeedPage page = await _reads.ReadFeedAsync(afterExclusive, limit, @namespace, cancellationToken).ConfigureAwait(false);
        // Whoever saw a commit in the feed must find it in its agent too.
        foreach (FeedCommit item in page.Commits)
        {
            if (_resident.TryGetValue(item.Agent, out ResidentAgent? agent) && agent.Confirmed is { } state && state.Version < item.Commit.Version)
                await RefreshUnlessBrokenAsync(agent, cancellationToken).ConfigureAwait(false);
        }
        return page;
    }

    /// <summary>The feed shows what is sound; that its agent is damaged elsewhere is told to whoever asks for that agent.</summary>
    private static async Task RefreshUnlessBrokenAsync(ResidentAgent agent, CancellationToken cancellationToken)
    {
        try
        {
            await agent.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (InvariantBrokenException)
        {
            // Every read of the agent throws the same.
        }
    }

    public async ValueTask WaitForFeedAsync(CommitTs afterExclusive, CancellationToken cancellationToken)
    {
        TimeSpan bound = _hosting.Store.IsShared ? _hosting.Options.ForeignPollEvery : TimeSpan.FromSeconds(1);
        await _hosting.FeedSignal.WaitAsync(afterExclusive, bound, _hosting.Clock, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask PingAsync(CancellationToken cancellationToken) =>
        await _hosting.Store.PingAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Stops the background work and finishes queued snapshots. Call it when no request is in flight, before the journal drains.</summary>
    public async ValueTask DisposeAsync()
    {
        await _sweeper.DisposeAsync().ConfigureAwait(false);
        await _hosting.DisposeAsync().ConfigureAwait(false);
    }

    public ResidentAgent Find(AgentId agent)
    {
        if (_resident.TryGetValue(agent, out ResidentAgent? resident))
            return resident;
        _sweeper.OnLoad();
        var fresh = new ResidentAgent(_hosting, agent, _hosting.Journal);
        resident = _resident.GetOrAdd(agent, fresh);
        if (ReferenceEquals(resident, fresh))
            _hosting.OnArrived();
        return resident;
    }
}

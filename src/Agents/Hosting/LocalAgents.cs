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
public sealed class LocalAgents : IAgents, IAsyncDisposable
{
    private readonly ConcurrentDictionary<AgentId, LocalAgent> _resident = new();
    private readonly AgentContext _context;
    private readonly ResidentSweeper _sweeper;
    private readonly ForeignCommits? _foreignCommits;

    /// <param name="journal">Stays the caller's to drain and dispose, after this.</param>
    /// <param name="options">Memory and patience.</param>
    /// <param name="limits">What requests may hold.</param>
    /// <param name="clock">Commit times, idleness.</param>
    /// <param name="log">Hears what an operator should know.</param>
    public LocalAgents(IJournal journal, LocalAgentsOptions options, Limits limits, TimeProvider clock, IOperatorLog log)
    {
        _context = new AgentContext(
            journal, options, limits, clock, log,
            new AgentLoader(journal.Store, limits, log),
            new SnapshotWriter(journal.Store, log),
            new RecentStates(countMax: 256, bytesMax: Math.Min(64L << 20, options.ResidentBytesMax / 4)),
            new FeedSignal());
        _sweeper = new ResidentSweeper(_resident, _context);
        _foreignCommits = journal.Store.IsShared ? new ForeignCommits(_resident, _context) : null;
        AgentsGauges.Watch(this);
    }

    /// <summary>Agents in memory.</summary>
    public int ResidentCount => _resident.Count;

    /// <summary>The highest commit_ts that this process has seen become durable.</summary>
    public CommitTs FeedPosition => _context.FeedSignal.Position;

    public IAgentState Get(AgentId agent)
    {
        CommitRules.CheckAgent(agent, _context.Limits);
        return new AgentReference(this, agent, _context.Limits);
    }

    public async ValueTask<AgentPage> ListAsync(
        string @namespace, string prefix, string? afterExclusive, int limit, CancellationToken cancellationToken)
    {
        CommitRules.CheckNamespace(@namespace, _context.Limits);
        CommitRules.CheckPageLimit(limit, _context.Limits);
        // One more than asked for tells whether there are more.
        IReadOnlyList<JournalHead> heads = await _context.Store.ListAgentsAsync(
            AgentKind.Agent, @namespace, prefix, afterExclusive, limit + 1, cancellationToken).ConfigureAwait(false);
        return new AgentPage([.. heads.Take(limit)], heads.Count > limit);
    }

    public async ValueTask<ImmutableArray<CommitReceipt>> CommitTogetherAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken)
    {
        Check(commits);
        if (commits.Length == 1)
            return [await Get(commits[0].Agent).CommitAsync(commits[0].Commit, cancellationToken).ConfigureAwait(false)];

        // Turns are taken in one order everywhere, so two transactions can never wait for each other.
        int[] order = [.. Enumerable.Range(0, commits.Length).OrderBy(i => commits[i].Agent)];
        int[] written = [.. order.Where(i => !commits[i].IsReadOnly)];
        Guid txnId = commits[0].Commit.TxnId ?? Guid.CreateVersion7(_context.Clock.GetUtcNow());
        AgentVersion[]? firstBases = null;
        for (int attempt = 1; ; attempt++)
        {
            var turns = new List<LocalAgent>(order.Length);
            var held = new List<(LocalAgent Agent, CommitRequest Request)>(written.Length);
            try
            {
                foreach (int i in order)
                {
                    LocalAgent agent = await HoldAsync(commits[i].Agent, cancellationToken).ConfigureAwait(false);
                    turns.Add(agent);
                    if (commits[i].IsReadOnly)
                        await CheckReadsAsync(agent, commits[i].Commit, cancellationToken).ConfigureAwait(false);
                    else
                        held.Add((agent, commits[i].Commit));
                }
                // After a conflict: an earlier attempt, of this call or of one whose reply was lost, may have come through.
                if (firstBases is not null && await FindEarlierAsync(held, firstBases, txnId, cancellationToken).ConfigureAwait(false) is { } earlier)
                    return InCallersOrder(earlier, written);
                firstBases ??= [.. held.Select(each => each.Agent.Confirmed!.Version)];
                if (await new TogetherCommit(_context, held, txnId).RunAsync().ConfigureAwait(false) is { } receipts)
                    return InCallersOrder(receipts, written);
            }
            finally
            {
                turns.ForEach(agent => agent.Release());
            }
            if (attempt >= _context.Options.DecideAttemptsMax)
                throw new StateConflictException($"The agents of this transaction are written by another process so busily that {attempt} attempts all came second. Nothing was written.");
        }
    }

    public async ValueTask<FeedPage> ReadFeedAsync(
        CommitTs afterExclusive, int limit, string? @namespace, CancellationToken cancellationToken)
    {
        CommitRules.CheckPageLimit(limit, _context.Limits);
        if (@namespace is not null)
            CommitRules.CheckNamespace(@namespace, _context.Limits);
        FeedPage page = await _context.Store.ReadFeedAsync(afterExclusive, limit, @namespace, cancellationToken).ConfigureAwait(false);
        // Whoever saw a commit in the feed must find it in its agent too.
        foreach (FeedCommit item in page.Commits)
        {
            if (_resident.TryGetValue(item.Agent, out LocalAgent? agent) && agent.Confirmed is { } state && state.Version < item.Commit.Version)
                await agent.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }
        return page;
    }

    public async ValueTask WaitForFeedAsync(CommitTs afterExclusive, CancellationToken cancellationToken)
    {
        TimeSpan bound = _context.Store.IsShared ? _context.Options.ForeignPollEvery : TimeSpan.FromSeconds(1);
        await _context.FeedSignal.WaitAsync(afterExclusive, bound, _context.Clock, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask PingAsync(CancellationToken cancellationToken) =>
        await _context.Store.PingAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Stops the background work and finishes queued snapshots. Call it when no request is in flight, before the journal drains.</summary>
    public async ValueTask DisposeAsync()
    {
        AgentsGauges.Forget(this);
        await _sweeper.DisposeAsync().ConfigureAwait(false);
        if (_foreignCommits is not null)
            await _foreignCommits.DisposeAsync().ConfigureAwait(false);
        await _context.Snapshots.DrainAsync().ConfigureAwait(false);
    }

    internal LocalAgent Resident(AgentId agent)
    {
        if (_resident.TryGetValue(agent, out LocalAgent? resident))
            return resident;
        _sweeper.OnLoad();
        return _resident.GetOrAdd(agent, static (id, context) => new LocalAgent(context, id), _context);
    }

    /// <summary>
    /// Checks what was read of a held agent: while its turn is held, nothing here can change it. Another process can,
    /// so on a shared store the journal is asked first; what happens between that look and the append goes unseen.
    /// </summary>
    private async Task CheckReadsAsync(LocalAgent agent, CommitRequest request, CancellationToken cancellationToken)
    {
        if (_context.Store.IsShared)
            await agent.RefreshAsync(cancellationToken).ConfigureAwait(false);
        if (Decision.StaleRead(agent.Confirmed!, request) is { } stale)
        {
            AgentsMetrics.CountRefusal(stale.Code);
            throw stale;
        }
    }

    private static async Task<ImmutableArray<CommitReceipt>?> FindEarlierAsync(
        List<(LocalAgent Agent, CommitRequest Request)> held, AgentVersion[] firstBases, Guid txnId, CancellationToken cancellationToken)
    {
        ImmutableArray<CommitReceipt>.Builder receipts = ImmutableArray.CreateBuilder<CommitReceipt>(held.Count);
        for (int i = 0; i < held.Count; i++)
        {
            JournalCommit? found = await held[i].Agent.FindTransactionAsync(firstBases[i], txnId, cancellationToken).ConfigureAwait(false);
            if (found is null && i == 0)
                return null;
            if (found is null)
                throw new InvariantBrokenException($"Transaction {txnId} is in the journal of {held[0].Agent.Agent} but not in that of {held[i].Agent.Agent}.");
            receipts.Add(Codec.CommitBodyCodec.Decode(found, default).ToReceipt());
        }
        return receipts.MoveToImmutable();
    }

    private async Task<LocalAgent> HoldAsync(AgentId id, CancellationToken cancellationToken)
    {
        while (true)
        {
            LocalAgent agent = Resident(id);
            if (await agent.TryHoldAsync(cancellationToken).ConfigureAwait(false))
                return agent;
            await Task.Yield();
        }
    }

    private void Check(ImmutableArray<AgentCommitRequest> commits)
    {
        if (commits.IsDefaultOrEmpty)
            throw RefusedException.Invalid("commits", "at least one commit", "none");
        var seen = new HashSet<AgentId>();
        int operations = 0;
        foreach (AgentCommitRequest commit in commits)
        {
            CommitRules.CheckAgent(commit.Agent, _context.Limits);
            if (!commit.IsReadOnly)
                CommitRules.Check(commit.Commit, _context.Limits);
            operations += commit.IsReadOnly ? 0 : commit.Commit.Operations.Length;
            if (!seen.Add(commit.Agent))
                throw RefusedException.Invalid("commits", "at most one commit per agent", $"two for {commit.Agent}");
            if (!commit.IsReadOnly && commit.Commit.IdempotencyKey != commits[0].Commit.IdempotencyKey)
                throw RefusedException.Invalid("idempotency_key", "the same for all agents of a transaction", "different ones");
        }
        if (operations == 0)
            throw RefusedException.Invalid("operations", "at least one operation", "none");
        CommitRules.AtMost("operations", nameof(Limits.OperationsPerCommitMax), _context.Limits.OperationsPerCommitMax, operations);
    }

    /// <param name="receipts">In the order in which turns were taken.</param>
    /// <param name="places">The caller's place of each.</param>
    private static ImmutableArray<CommitReceipt> InCallersOrder(ImmutableArray<CommitReceipt> receipts, int[] places) =>
        [.. places.Zip(receipts).OrderBy(each => each.First).Select(each => each.Second)];
}

using System.Collections.Immutable;
using Statehouse.Agents.Codec;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>
/// Commits on several agents: hold them all, decide on each, append to all in one database transaction, show all. The
/// journal is the truth; there is no coordinator state that could be lost.
/// </summary>
/// <param name="hosting">Whose journal appends.</param>
/// <param name="shareOf">Finds an agent, in this process or elsewhere.</param>
public sealed class TogetherCommit(AgentHosting hosting, Func<AgentId, ITransactionShare> shareOf)
{
    /// <inheritdoc cref="IAgents.CommitTogetherAsync"/>
    public async Task<ImmutableArray<CommitReceipt>> CommitAsync(
        ImmutableArray<AgentCommitRequest> commits, CancellationToken cancellationToken)
    {
        CommitRules.CheckTogether(commits, hosting.Limits);
        // Turns are taken in one order everywhere, so two transactions can never wait for each other.
        int[] order = [.. Enumerable.Range(0, commits.Length).OrderBy(i => commits[i].Agent)];
        Guid txnId = commits[0].Commit.TxnId ?? TransactionIds.New(hosting.Clock.GetUtcNow());
        var attempts = new Attempts(commits.Length);
        for (int attempt = 1; ; attempt++)
        {
            if (await TryAsync(commits, order, txnId, attempts, cancellationToken).ConfigureAwait(false) is { } receipts)
                return receipts;
            AgentsMetrics.Conflicts.Add(1);
            if (attempt >= hosting.Options.DecideAttemptsMax)
                throw new StateConflictException($"The agents of this transaction are written by another process so busily that {attempt} attempts all came second. Nothing was written.");
        }
    }

    /// <returns>null where another process was first with an agent: nothing was written.</returns>
    private async Task<ImmutableArray<CommitReceipt>?> TryAsync(
        ImmutableArray<AgentCommitRequest> commits, int[] order, Guid txnId, Attempts attempts, CancellationToken cancellationToken)
    {
        var held = new List<Part>(order.Length);
        var end = new HoldEnd(HoldOutcome.NotWritten);
        try
        {
            foreach (int i in order)
            {
                ITransactionShare share = shareOf(commits[i].Agent);
                var request = new HoldRequest(txnId, commits[i].Commit, hosting.Options.HoldLease, attempts.TriedAfter[i]);
                var part = new Part(i, commits[i], share, await share.HoldAsync(request, cancellationToken).ConfigureAwait(false));
                held.Add(part);
                attempts.TriedAfter[i] ??= part.Held.Version;
                if (held.Count < order.Length)
                    Reach(CrashPoint.BetweenHolds);
            }
            Part[] writing = [.. held.Where(part => !part.Request.IsReadOnly)];
            if (IsRepeatOfSome(writing) && !attempts.HaveAskedJournal)
            {
                attempts.HaveAskedJournal = true;
                end = new HoldEnd(HoldOutcome.Stale);
                return null;
            }
            if (RepeatOf(writing, txnId) is { } repeated)
                return repeated;
            held.ForEach(part => part.Share.BeginAppend());
            end = new HoldEnd(HoldOutcome.Unknown);
            (CommitTs? commitTs, StatehouseException? failure) = await AppendAsync(writing).ConfigureAwait(false);
            if (commitTs is not { } position)
            {
                end = new HoldEnd(failure is JournalOutcomeUnknownException ? HoldOutcome.Unknown : HoldOutcome.Stale);
                return failure is null ? null : throw failure;
            }
            end = new HoldEnd(HoldOutcome.Committed, position);
            Reach(CrashPoint.BeforeParticipantsAreTold);
            hosting.FeedSignal.Advance(position);
            return InCallersOrder(writing, part => CommitBodyCodec.Decode(part.Held.Commit! with { CommitTs = position }).ToReceipt());
        }
        finally
        {
            await EndAsync(held, end).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Whether a transaction stands for some shares already and not for all. An agent that another process wrote, or that
    /// was loaded before that transaction landed, does not know of it: then only the journal can tell a repeat from
    /// another use of its key.
    /// </summary>
    private static bool IsRepeatOfSome(Part[] writing) => writing.DistinctBy(part => part.Held.Repeat?.TxnId).Count() > 1;

    /// <summary>The receipts of the commits that stand for all shares already; null where there are none.</summary>
    private static ImmutableArray<CommitReceipt>? RepeatOf(Part[] writing, Guid txnId)
    {
        if (Array.Find(writing, part => part.Held.Repeat is not null)?.Held.Repeat is not { } first)
            return null;
        if (Array.TrueForAll(writing, part => part.Held.Repeat?.TxnId == first.TxnId))
        {
            if (first.TxnId != txnId)
                AgentsMetrics.Repeats.Add(1);
            return InCallersOrder(writing, part => part.Held.Repeat!);
        }
        if (Array.Exists(writing, part => part.Held.Repeat?.TxnId == txnId))
            throw new InvariantBrokenException($"Transaction {txnId} is in the journal of some of its agents, but not in that of all.");
        throw new RefusedException(
            ErrorCode.IdempotencyKeyReused,
            $"The idempotency key \"{first.IdempotencyKey}\" was used by {writing.Count(part => part.Held.Repeat is not null)} of these {writing.Length} agents in another transaction.")
        {
            Details = new Dictionary<string, string> { ["field"] = "idempotency_key", ["value"] = first.IdempotencyKey! },
        };
    }

    /// <returns>The position; or why there is none: null where another commit stands in this one's place.</returns>
    private async Task<(CommitTs? Position, StatehouseException? Failure)> AppendAsync(Part[] writing)
    {
        AppendRun[] runs = Array.ConvertAll(writing, part => part.ToRun());
        StatehouseException? failure = await QueueAsync(new AppendUnit(runs)).ConfigureAwait(false);
        if (failure is null)
            return (runs[0].CommitTs[0], null);
        JournalCommit? there = await LookAsync(runs[0], failure).ConfigureAwait(false);
        if (there?.Hash == runs[0].Commits[0].Hash)
            return (there.CommitTs, null);
        // Another commit stands in its place: the fence keeps this one out for ever, so there is no doubt.
        if (failure is StateConflictException || there is not null)
            return (null, null);
        return (null, failure);
    }

    /// <returns>null when durable.</returns>
    private async Task<StatehouseException?> QueueAsync(AppendUnit unit)
    {
        var observer = new AppendObserver();
        try
        {
            while (!hosting.Journal.TryAppend(unit, observer))
                await hosting.Journal.WaitForRoomAsync(unit.Runs[0].Handle.Agent, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StatehouseException notQueued)
        {
            // The queue is full, or closing: nothing was written and nothing will be, so there is no doubt.
            return notQueued;
        }
        return await observer.Ended.ConfigureAwait(false);
    }

    /// <summary>The reply may have been lost where the rows were not. One agent tells for all: they went in together.</summary>
    private async Task<JournalCommit?> LookAsync(AppendRun run, StatehouseException failure)
    {
        if (failure is JournalUnavailableException or JournalBusyException)
            return null;
        AgentVersion version = run.Commits[0].Version;
        try
        {
            await foreach (JournalCommit found in hosting.Store.ReadForwardAsync(run.Handle, version, version, CancellationToken.None).ConfigureAwait(false))
                return found;
        }
        catch (JournalUnavailableException) when (failure is JournalOutcomeUnknownException)
        {
            // "Outcome unknown" says more about this transaction than "unavailable" would.
        }
        return null;
    }

    private async Task EndAsync(List<Part> held, HoldEnd end)
    {
        if (end.Outcome == HoldOutcome.Committed)
            held.ForEach(part => part.Share.CloseReads());
        var ending = new List<Task>(held.Count);
        foreach (Part part in held)
        {
            ending.Add(part.Share.EndAsync(end).AsTask());
            if (end.Outcome == HoldOutcome.Committed && ending.Count < held.Count)
                Reach(CrashPoint.BetweenParticipants);
        }
        await Task.WhenAll(ending).ConfigureAwait(false);
        foreach (Part part in held)
            part.Share.OpenReads();
    }

    private void Reach(CrashPoint point) => hosting.Options.OnCrashPoint?.Invoke(point);

    /// <summary>Turns are taken in the agents' order; receipts go back in the caller's.</summary>
    private static ImmutableArray<CommitReceipt> InCallersOrder(Part[] writing, Func<Part, CommitReceipt> receipt) =>
        [.. writing.OrderBy(part => part.Place).Select(receipt)];

    /// <summary>What later attempts know of earlier ones.</summary>
    private sealed class Attempts(int agents)
    {
        /// <summary>Of each agent, where the caller has it: the version that the first attempt was decided on.</summary>
        public AgentVersion?[] TriedAfter { get; } = new AgentVersion?[agents];

        /// <summary>All agents have looked into the journal since the first attempt began.</summary>
        public bool HaveAskedJournal { get; set; }
    }

    // Place: where the caller has it.
    private sealed record Part(int Place, AgentCommitRequest Request, ITransactionShare Share, HeldAgent Held)
    {
        public AppendRun ToRun() => new(
            new JournalHandle(Request.Agent) { StoreKey = Held.StoreKey }, Held.Version, Held.Hash, [Held.Commit!]);
    }
}

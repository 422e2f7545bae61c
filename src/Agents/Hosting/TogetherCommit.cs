using System.Collections.Immutable;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>
/// One attempt to commit on several agents that are all held: decide on each, append to all in one database
/// transaction, show all at once. The journal is the truth; there is no coordinator state that could be lost.
/// </summary>
internal sealed class TogetherCommit(AgentContext context, IReadOnlyList<(LocalAgent Agent, CommitRequest Request)> parts, Guid txnId)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <returns>Receipts in the order of the parts; null where another process was first and nothing was written.</returns>
    /// <exception cref="StatehouseException">A refusal of any part, or a fault. SH-2002 only where the journal could not tell.</exception>
    public async Task<ImmutableArray<CommitReceipt>?> RunAsync()
    {
        var decided = new Part[parts.Count];
        int repeats = 0;
        for (int i = 0; i < decided.Length; i++)
        {
            (Decision decision, AgentState basis) = parts[i].Agent.DecideHeld(parts[i].Request, txnId);
            if (decision.Refusal is { } refusal)
            {
                AgentsMetrics.CountRefusal(refusal.Code);
                throw refusal;
            }
            repeats += decision.Repeat is null ? 0 : 1;
            decided[i] = new Part(parts[i].Agent, basis, decision);
        }
        return repeats > 0 ? Repeat(decided, repeats) : await AppendAsync(decided).ConfigureAwait(false);
    }

    private static ImmutableArray<CommitReceipt>? Repeat(Part[] decided, int repeats)
    {
        Guid first = decided.First(part => part.Decision.Repeat is not null).Decision.Repeat!.TxnId;
        if (repeats == decided.Length && decided.All(part => part.Decision.Repeat!.TxnId == first))
        {
            AgentsMetrics.Repeats.Add(1);
            return [.. decided.Select(part => part.Decision.Repeat!.ToReceipt())];
        }
        string key = decided.First(part => part.Decision.Repeat is not null).Decision.Repeat!.Key;
        throw new RefusedException(
            ErrorCode.IdempotencyKeyReused,
            $"The idempotency key \"{key}\" was used by {repeats} of these {decided.Length} agents in another transaction.")
        {
            Details = new Dictionary<string, string> { ["field"] = "idempotency_key", ["value"] = key },
        };
    }

    private async Task<ImmutableArray<CommitReceipt>?> AppendAsync(Part[] decided)
    {
        foreach (Part part in decided)
            part.Agent.BeginTogether(_ended.Task);
        bool shown = false;
        try
        {
            AppendRun[] runs = Array.ConvertAll(decided, part => part.ToRun());
            StatehouseException? failure = await QueueAsync(new AppendUnit(runs)).ConfigureAwait(false);
            JournalCommit? there = failure is null ? null : await LookAsync(decided[0], failure).ConfigureAwait(false);
            if (failure is null || there?.Hash == decided[0].Commit.Hash)
            {
                Show(decided, there?.CommitTs ?? runs[0].CommitTs[0]);
                shown = true;
                return [.. decided.Select(part => part.Commit.ToReceipt())];
            }
            // Another commit stands in its place: the fence keeps this one out for ever, so there is no doubt.
            if (failure is StateConflictException || there is not null)
                return null;
            throw failure;
        }
        finally
        {
            foreach (Part part in decided)
                part.Agent.EndTogether(shown);
            _ended.TrySetResult();
        }
    }

    /// <returns>null when durable.</returns>
    private async Task<StatehouseException?> QueueAsync(AppendUnit unit)
    {
        var observer = new Observer();
        while (!context.Journal.TryAppend(unit, observer))
            await context.Journal.WaitForRoomAsync(unit.Runs[0].Handle.Agent, CancellationToken.None).ConfigureAwait(false);
        return await observer.Ended.ConfigureAwait(false);
    }

    /// <summary>The reply may have been lost where the rows were not. One agent tells for all: they went in together.</summary>
    private static async Task<JournalCommit?> LookAsync(Part part, StatehouseException failure)
    {
        if (failure is JournalUnavailableException)
            return null;
        try
        {
            return await part.Agent.ReadAsync(part.Commit.Version).ConfigureAwait(false);
        }
        catch (JournalUnavailableException) when (failure is JournalOutcomeUnknownException)
        {
            // "Outcome unknown" says more about this transaction than "unavailable" would.
            return null;
        }
    }

    private void Show(Part[] decided, CommitTs commitTs)
    {
        var revealed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (Part part in decided)
        {
            part.Commit.Stamp.Assign(commitTs);
            part.Agent.BeginReveal(revealed.Task);
        }
        foreach (Part part in decided)
            part.Agent.ShowHeld(part.Basis.Apply(part.Commit, context.Limits.IdempotencyKeysMax), part.Commit);
        foreach (Part part in decided)
            part.Agent.EndReveal();
        revealed.SetResult();
        context.FeedSignal.Advance(commitTs);
    }

    private sealed record Part(LocalAgent Agent, AgentState Basis, Decision Decision)
    {
        public Commit Commit => Decision.Commit!;

        public AppendRun ToRun() => new(Agent.Handle, Basis.Version, Basis.Hash, [Commit.ToJournal()]);
    }

    private sealed class Observer : IAppendObserver
    {
        private readonly TaskCompletionSource<StatehouseException?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<StatehouseException?> Ended => _ended.Task;

        public void OnAppended(AppendUnit unit) => _ended.TrySetResult(null);

        public void OnFailed(AppendUnit unit, StatehouseException reason) => _ended.TrySetResult(reason);
    }
}

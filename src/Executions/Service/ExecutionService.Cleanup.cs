using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>Which executions to remove.</summary>
/// <param name="Namespace">Whose.</param>
/// <param name="Before">Finished, and not changed since, before this.</param>
/// <param name="Statuses">Final ones only.</param>
public sealed record CleanupRequest(string Namespace, CommitTime Before, ImmutableArray<ExecutionStatus> Statuses)
{
    /// <summary>Only counts.</summary>
    public bool DryRun { get; init; }

    /// <summary>1..1,000.</summary>
    public int Limit { get; init; } = 1000;
}

/// <param name="Matched">That were found.</param>
/// <param name="Removed">Of them; the others have changed meanwhile.</param>
/// <param name="HasMore">Call again.</param>
public sealed record CleanupResult(int Matched, int Removed, bool HasMore);

/// <content>Removing executions.</content>
public sealed partial class ExecutionService
{
    private const int RemovedAtOnceMax = 1000;

    /// <summary>Removes finished executions with all that is kept of them, named snapshots too.</summary>
    /// <exception cref="RefusedException">SH-1003: a status that is not final, or none.</exception>
    public async ValueTask<CleanupResult> CleanUpAsync(CleanupRequest request, CancellationToken cancellationToken)
    {
        ExecutionSettings.InRange("limit", request.Limit, 1, 1000);
        if (request.Statuses.IsDefaultOrEmpty)
            throw RefusedException.Invalid("status", "at least one of completed, failed, cancelled", "none");
        foreach (ExecutionStatus status in request.Statuses)
        {
            if (!status.IsFinal())
                throw RefusedException.Invalid("status", "completed, failed or cancelled", status.Text());
        }
        var query = new IndexQuery(AgentKind.Execution, request.Namespace, request.Limit)
        {
            Statuses = [.. request.Statuses.Distinct().Select(status => (byte)status)],
            UpdatedTo = request.Before,
            Order = IndexOrder.Updated,
        };
        IReadOnlyList<IndexedAgent> found = await Stores.Index.QueryAsync(query, cancellationToken).ConfigureAwait(false);
        int removed = request.DryRun ? 0 : await RemoveExecutionsAsync(found, cancellationToken).ConfigureAwait(false);
        return new CleanupResult(found.Count, removed, found.Count == request.Limit);
    }

    /// <returns>How many were removed: those that have changed since they were found stay.</returns>
    private async ValueTask<int> RemoveExecutionsAsync(IReadOnlyList<IndexedAgent> found, CancellationToken cancellationToken)
    {
        var ends = new List<AgentEnd>();
        var kept = new List<List<AgentEnd>>();
        foreach (IndexedAgent old in found)
        {
            var handle = new JournalHandle(old.Agent);
            if (await Stores.Store.ReadHeadAsync(handle, cancellationToken).ConfigureAwait(false) is not { } head
                || head.Version != old.Version || head.Time != old.UpdatedAt)
                continue;
            // Found by version, so these are its snapshots if it is still at that version when it goes; and their ends are
            // read before it goes, so that none of another execution under its id is taken for one of them.
            if (await SnapshotEndsAsync(old.Agent, cancellationToken).ConfigureAwait(false) is not { } snapshots)
                continue;
            ends.Add(new AgentEnd(handle, head.Version, head.Hash));
            kept.Add(snapshots);
        }
        cancellationToken.ThrowIfCancellationRequested();
        // From here on to the end, whoever asked: nobody else would find the snapshots of what is gone.
        IReadOnlyList<bool> removed = await RemoveAsync(ends).ConfigureAwait(false);
        _options.OnCrashPoint?.Invoke(CrashPoint.InCleanup);
        AgentEnd[] orphans = [.. kept.Where((_, i) => removed[i]).SelectMany(each => each)];
        foreach (AgentEnd[] some in orphans.Chunk(RemovedAtOnceMax))
            await RemoveAsync(some).ConfigureAwait(false);
        return removed.Count(each => each);
    }

    /// <returns>null where the execution is gone.</returns>
    private async ValueTask<List<AgentEnd>?> SnapshotEndsAsync(AgentId agent, CancellationToken cancellationToken)
    {
        try
        {
            var ends = new List<AgentEnd>();
            (ImmutableArray<SnapshotLabel> labels, _) = await ListSnapshotsAsync(agent, null, SnapshotLabel.CountMax, cancellationToken).ConfigureAwait(false);
            foreach (SnapshotLabel label in labels)
            {
                var handle = new JournalHandle(SnapshotAgent(agent, label.Name));
                if (await Stores.Store.ReadHeadAsync(handle, cancellationToken).ConfigureAwait(false) is { } head)
                    ends.Add(new AgentEnd(handle, head.Version, head.Hash));
            }
            return ends;
        }
        catch (RefusedException refused) when (refused.Code == ErrorCode.NotFound)
        {
            return null;
        }
    }

    private async ValueTask<IReadOnlyList<bool>> RemoveAsync(IReadOnlyList<AgentEnd> ends)
    {
        IReadOnlyList<bool> removed = await Stores.Retention.DeleteAgentsAsync(ends, CancellationToken.None).ConfigureAwait(false);
        foreach (AgentId agent in ends.Where((_, i) => removed[i]).Select(end => end.Handle.Agent))
        {
            _known.Remove(agent);
            // Whoever has it in memory still shows it, until told to ask the journal.
            await _agents.Get(agent).GetAsync(new GetRequest(ExecutionKeys.Step, Consistency: Consistency.Strong), CancellationToken.None).ConfigureAwait(false);
        }
        return removed;
    }
}

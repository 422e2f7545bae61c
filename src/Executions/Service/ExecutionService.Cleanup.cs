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
        int removed = 0;
        foreach (IndexedAgent old in found)
        {
            if (!request.DryRun && await RemoveExecutionAsync(old, cancellationToken).ConfigureAwait(false))
                removed++;
        }
        return new CleanupResult(found.Count, removed, found.Count == request.Limit);
    }

    /// <returns>false where it has changed since it was found.</returns>
    private async ValueTask<bool> RemoveExecutionAsync(IndexedAgent old, CancellationToken cancellationToken)
    {
        var handle = new JournalHandle(old.Agent);
        if (await Stores.Store.ReadHeadAsync(handle, cancellationToken).ConfigureAwait(false) is not { } head || head.Version != old.Version)
            return false;
        // Found by version, so these are its snapshots if it is still at that version when it goes.
        (ImmutableArray<SnapshotLabel> labels, _) = await ListSnapshotsAsync(old.Agent, null, SnapshotLabel.CountMax, cancellationToken).ConfigureAwait(false);
        if (!await RemoveAsync(handle, head, cancellationToken).ConfigureAwait(false))
            return false;
        foreach (SnapshotLabel label in labels)
        {
            var kept = new JournalHandle(SnapshotAgent(old.Agent, label.Name));
            if (await Stores.Store.ReadHeadAsync(kept, cancellationToken).ConfigureAwait(false) is { } keptHead)
                await RemoveAsync(kept, keptHead, cancellationToken).ConfigureAwait(false);
        }
        return true;
    }

    private async ValueTask<bool> RemoveAsync(JournalHandle handle, JournalHead head, CancellationToken cancellationToken)
    {
        if (!await Stores.Retention.DeleteAgentAsync(handle, head.Version, head.Hash, cancellationToken).ConfigureAwait(false))
            return false;
        _known.Remove(handle.Agent);
        // Whoever has it in memory still shows it, until told to ask the journal.
        await _agents.Get(handle.Agent).GetAsync(new GetRequest(ExecutionKeys.Step, Consistency: Consistency.Strong), cancellationToken).ConfigureAwait(false);
        return true;
    }
}

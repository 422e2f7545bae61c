using Statehouse.Agents;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <content>Letting go of old states.</content>
public sealed partial class ExecutionService
{
    // Commits looked at for the next checkpoint behind one that is none.
    private const int NeighboursRead = 16;

    /// <summary>
    /// Applies the execution's retention: lets go of states before the newest checkpoint that is kept whole and has at
    /// least so many checkpoints from it on. What is left can be loaded without anything before it.
    /// </summary>
    /// <returns>How many checkpoints lost their state, and how many bytes that gave back.</returns>
    /// <exception cref="RefusedException">SH-1007: no such execution.</exception>
    public async ValueTask<(long Thinned, long Bytes)> ThinAsync(AgentId agent, CancellationToken cancellationToken)
    {
        // Known by the store's own number from here on: what is removed and created again meanwhile is not cut.
        var handle = new JournalHandle(agent);
        if (await Stores.Store.ReadHeadAsync(handle, cancellationToken).ConfigureAwait(false) is null)
            throw ExecutionRefusals.Unknown(agent);
        ExecutionView view = await ReadAsync(agent, Consistency.Default, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(agent);
        long retention = view.Run.Settings.CheckpointRetention;
        if (retention == 0 || view.Mark.Count <= retention)
            return (0, 0);
        if (await NewestWholeAsync(view, view.Mark.Count - retention + 1, cancellationToken).ConfigureAwait(false) is not { } keepFrom
            || await OldestRestorableAsync(view, cancellationToken).ConfigureAwait(false) is not { } oldest
            || oldest.Version >= keepFrom.Version)
            return (0, 0);
        long bytes = await Stores.Retention.CutDetailsAsync(
            handle, oldest.Version, new AgentVersion(keepFrom.Version.Value - 1), cancellationToken).ConfigureAwait(false);
        await DropSnapshotsAsync(handle, keepFrom.Version, cancellationToken).ConfigureAwait(false);
        ExecutionsMetrics.Thinned.Add(bytes);
        return (CommitMarks.MarkOf(keepFrom).Count - CommitMarks.MarkOf(oldest).Count, bytes);
    }

    /// <summary>Counts a checkpoint, and has the execution thinned where that is due: at every quarter of its retention.</summary>
    private void OnCheckpoint(ExecutionView after)
    {
        ExecutionsMetrics.Checkpoint(after.Mark.StateBytes);
        int retention = after.Run.Settings.CheckpointRetention;
        int slack = Math.Max(1, retention / 4);
        if (retention > 0 && after.Mark.Count > retention + slack && after.Mark.Count % slack == 0)
            _thinner?.Enqueue(after.Agent);
    }

    /// <summary>The newest checkpoint up to a number whose state is kept whole; null where there is none before it.</summary>
    private async ValueTask<JournalCommit?> NewestWholeAsync(ExecutionView view, long number, CancellationToken cancellationToken)
    {
        IAgentState state = StateOf(view.Agent);
        if (await FirstAsync(state, view.Version, c => CommitMarks.MarkOf(c).Count >= number, cancellationToken).ConfigureAwait(false) is not { } from)
            return null;
        // States that differ too much are kept whole without being due: then one is near.
        var near = new HistoryRequest(new AgentVersion(Math.Max(1, from.Version.Value - NeighboursRead)), from.Version, NeighboursRead, NewestFirst: true);
        foreach (JournalCommit commit in (await state.GetCommitsAsync(near, cancellationToken).ConfigureAwait(false)).Commits)
        {
            if (IsWhole(commit))
                return commit;
        }
        long due = CommitMarks.MarkOf(from).Whole;
        JournalCommit? whole = await FirstAsync(state, from.Version, c => CommitMarks.MarkOf(c).Count >= due, cancellationToken).ConfigureAwait(false);
        return whole is not null && IsWhole(whole) ? whole : null;
    }

    private static bool IsWhole(JournalCommit commit) => CommitMarks.StateOf(commit) is { Detached: { Form: DetachedForm.Whole } };

    /// <summary>The oldest checkpoint whose state can be loaded. What was let go of is all before it.</summary>
    private async ValueTask<JournalCommit?> OldestRestorableAsync(ExecutionView view, CancellationToken cancellationToken)
    {
        IAgentState state = StateOf(view.Agent);
        JournalCommit? found = null;
        long low = 1;
        long high = view.Mark.Count;
        while (low <= high)
        {
            // Each number is one checkpoint's, however many commits without a state lie between two of them.
            long number = low + (high - low) / 2;
            JournalCommit? commit = await FirstAsync(state, view.Version, c => CommitMarks.MarkOf(c).Count >= number, cancellationToken).ConfigureAwait(false);
            if (commit is null || CommitMarks.StateOf(commit) is not { } put)
                return found;
            if (put.Detached is { Form: DetachedForm.Dropped })
            {
                low = number + 1;
            }
            else
            {
                found = commit;
                high = number - 1;
            }
        }
        return found;
    }

    /// <summary>The first commit of which something holds that holds of all after it; null where it holds of none.</summary>
    private static async ValueTask<JournalCommit?> FirstAsync(
        IAgentState state, AgentVersion to, Func<JournalCommit, bool> holds, CancellationToken cancellationToken)
    {
        JournalCommit? found = null;
        long low = 1;
        long high = to.Value;
        while (low <= high)
        {
            long middle = low + (high - low) / 2;
            JournalCommit commit = await state.GetCommitAsync(new AgentVersion(middle), cancellationToken).ConfigureAwait(false);
            if (holds(commit))
            {
                found = commit;
                high = middle - 1;
            }
            else
            {
                low = middle + 1;
            }
        }
        return found;
    }

    /// <summary>Snapshots of the agent from before hold old states too; the newest of them still shortens loads.</summary>
    private async ValueTask DropSnapshotsAsync(JournalHandle handle, AgentVersion before, CancellationToken cancellationToken)
    {
        IReadOnlyList<AgentVersion> versions = await Stores.Store.ListSnapshotsAsync(handle, cancellationToken).ConfigureAwait(false);
        AgentVersion[] old = [.. versions.Where(version => version < before)];
        if (old.Length > 1)
            await Stores.Store.DeleteSnapshotsAsync(handle, old[..^1], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The step nearest to a thinned one whose state can still be loaded: thinning takes the oldest first.</summary>
    private async ValueTask<long?> NearestStepAsync(ExecutionView view, CancellationToken cancellationToken) =>
        await OldestRestorableAsync(view, cancellationToken).ConfigureAwait(false) is { } oldest ? CommitMarks.MarkOf(oldest).Step : null;
}

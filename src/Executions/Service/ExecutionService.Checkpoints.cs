using Statehouse.Agents;
using Statehouse.Agents.Model;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <content>Checkpoints: made, and found again.</content>
public sealed partial class ExecutionService
{
    /// <summary>Commits a checkpoint; the last one again answers its first receipt.</summary>
    /// <param name="agent">Which execution.</param>
    /// <param name="step">0..<see cref="StepMark.StepMax"/>.</param>
    /// <param name="state">Checked JSON.</param>
    /// <param name="token">Of the caller's lease; null = none given.</param>
    /// <param name="idempotencyKey">null = none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<Written> CheckpointAsync(
        AgentId agent, long step, JsonText state, long? token, string? idempotencyKey, CancellationToken cancellationToken)
    {
        CreationRequest.CheckState(state, _limits);
        long began = _clock.GetTimestamp();
        KeyedRequest? keyed = idempotencyKey is null
            ? null
            : KeyedRequest.Of(idempotencyKey, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"checkpoint {step}"), state);
        Written written = await WriteAsync(
            agent, (view, now) => ExecutionRules.Checkpoint(view, step, state, token, now), keyed, cancellationToken,
            view => RepeatOfLastAsync(view, state, cancellationToken)).ConfigureAwait(false);
        if (!written.Replayed)
        {
            OnCheckpoint(written.View);
            ExecutionsMetrics.Duration(_clock.GetElapsedTime(began));
        }
        return written;
    }

    /// <summary>The latest state.</summary>
    /// <exception cref="RefusedException">SH-1007: no such execution, or it has no checkpoint yet.</exception>
    public async ValueTask<LoadedCheckpoint> LatestAsync(AgentId agent, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            ExecutionView view = await ReadAsync(agent, Consistency.Default, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(agent);
            if (view.Mark.Step is not { } step)
                throw RefusedException.NotFound($"checkpoint of execution \"{agent.Name}\" yet");
            KeyState state = await StateOf(agent).GetAsync(new GetRequest(ExecutionKeys.State), cancellationToken).ConfigureAwait(false);
            if (state.AgentVersion == view.Version)
            {
                JournalCommit commit = await FindStepAsync(view, step, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.NoStep(agent, step);
                return new LoadedCheckpoint(commit, step, state.Value);
            }
            if (attempt >= _options.DecideAttemptsMax)
                throw Busy(agent);
        }
    }

    /// <summary>The state of a step; of one that occurs several times, the newest.</summary>
    /// <exception cref="RefusedException">SH-1007: no such execution or step; SH-1008: thinned, with <c>nearest_step</c>.</exception>
    public async ValueTask<LoadedCheckpoint> LoadAsync(AgentId agent, long step, CancellationToken cancellationToken)
    {
        ExecutionView view = await ReadAsync(agent, Consistency.Default, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(agent);
        return await LoadAsync(view, step, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<LoadedCheckpoint> LoadAsync(ExecutionView view, long step, CancellationToken cancellationToken)
    {
        JournalCommit commit = await FindStepAsync(view, step, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.NoStep(view.Agent, step);
        bool isThinned = CommitMarks.StateOf(commit) is { Detached.Form: DetachedForm.Dropped };
        JsonText state = isThinned ? default : await StateAtAsync(view.Agent, commit.Version, cancellationToken).ConfigureAwait(false);
        if (state.IsAbsent)
            throw ExecutionRefusals.Thinned(view.Agent, step, await NearestStepAsync(view, cancellationToken).ConfigureAwait(false));
        return new LoadedCheckpoint(commit, step, state);
    }

    /// <summary>The receipt of the last checkpoint, where its state was the same text.</summary>
    private async ValueTask<Written?> RepeatOfLastAsync(ExecutionView view, JsonText state, CancellationToken cancellationToken)
    {
        if (view.Mark.StateBytes != state.Length)
            return null;
        LoadedCheckpoint last = await LatestAsync(view.Agent, cancellationToken).ConfigureAwait(false);
        return last.Step == view.Mark.Step && last.State.Utf8.SequenceEqual(state.Utf8) ? Written.Before(view, last.Commit) : null;
    }

    /// <summary>
    /// The commit that made a step: within a stretch without restores steps only grow, so it is a binary search over
    /// versions, from the newest stretch back. A stretch begins with the restore that made its first state the latest again.
    /// </summary>
    /// <returns>null where no checkpoint has this step.</returns>
    private async ValueTask<JournalCommit?> FindStepAsync(ExecutionView view, long step, CancellationToken cancellationToken)
    {
        IAgentState state = StateOf(view.Agent);
        AgentVersion end = view.Version;
        for (int i = view.Run.Restores.Length - 1; i >= -1; i--)
        {
            bool isFirst = i < 0;
            AgentVersion start = isFirst ? AgentVersion.None.Next : view.Run.Restores[i].Version;
            if (!isFirst && view.Run.Restores[i].Step == step)
                return await state.GetCommitAsync(start, cancellationToken).ConfigureAwait(false);
            if ((isFirst || step > view.Run.Restores[i].Step)
                && await FirstAtStepAsync(state, start, end, step, cancellationToken).ConfigureAwait(false) is { } found
                && CommitMarks.MarkOf(found).Step == step)
                return found;
            end = new AgentVersion(start.Value - 1);
        }
        return null;
    }

    /// <summary>The first commit of a stretch whose step is this or above; null where all are below.</summary>
    private static async ValueTask<JournalCommit?> FirstAtStepAsync(
        IAgentState state, AgentVersion from, AgentVersion to, long step, CancellationToken cancellationToken)
    {
        JournalCommit? found = null;
        long low = from.Value;
        long high = to.Value;
        // Most ask for one of the last: look there first.
        long middle = high;
        while (low <= high)
        {
            JournalCommit commit = await state.GetCommitAsync(new AgentVersion(middle), cancellationToken).ConfigureAwait(false);
            if (CommitMarks.MarkOf(commit).Step >= step)
            {
                found = commit;
                high = middle - 1;
            }
            else
            {
                low = middle + 1;
            }
            middle = low + (high - low) / 2;
        }
        return found;
    }

    /// <summary>The state as it was at a version; absent where it was thinned.</summary>
    private async ValueTask<JsonText> StateAtAsync(AgentId agent, AgentVersion version, CancellationToken cancellationToken)
    {
        try
        {
            KeyState state = await StateOf(agent).GetAsync(
                new GetRequest(ExecutionKeys.State, ReadPoint.AtVersion(version)), cancellationToken).ConfigureAwait(false);
            return state.Value;
        }
        catch (StatehouseException error) when (error.Code == ErrorCode.HistoryTrimmed)
        {
            return default;
        }
    }
}

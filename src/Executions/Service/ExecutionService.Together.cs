using System.Collections.Immutable;
using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <summary>One checkpoint of several that are committed together.</summary>
public sealed record CheckpointRequest(AgentId Agent, long Step, JsonText State, long? Token);

/// <content>Checkpoints of several executions, all or none.</content>
public sealed partial class ExecutionService
{
    public const int TogetherMax = 100;

    /// <summary>Commits checkpoints of several executions under one commit_ts. All of them again answers their first receipts.</summary>
    /// <returns>In the order of <paramref name="checkpoints"/>.</returns>
    /// <exception cref="StateConflictException">SH-1001, with the execution in its details. Nothing was written.</exception>
    public async ValueTask<ImmutableArray<Written>> CheckpointTogetherAsync(
        ImmutableArray<CheckpointRequest> checkpoints, string? idempotencyKey, CancellationToken cancellationToken)
    {
        CheckTogether(checkpoints);
        foreach (CheckpointRequest checkpoint in checkpoints)
        {
            if (_buffer.MayHold(checkpoint.Agent))
                await _buffer.FlushAsync(checkpoint.Agent, cancellationToken).ConfigureAwait(false);
        }
        KeyedRequest?[] keyed = [.. checkpoints.Select(checkpoint => KeyedRequest.Of(idempotencyKey, $"checkpoint {checkpoint.Step}", checkpoint.State))];
        for (int attempt = 1; ; attempt++)
        {
            var views = new ExecutionView[checkpoints.Length];
            var decisions = new ExecutionDecision[checkpoints.Length];
            for (int i = 0; i < views.Length; i++)
            {
                CheckpointRequest asked = checkpoints[i];
                views[i] = await ReadAsync(asked.Agent, ConsistencyOf(attempt), cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(asked.Agent);
                decisions[i] = ExecutionRules.Checkpoint(views[i], asked.Step, asked.State, asked.Token, Now);
            }
            if (decisions.FirstOrDefault(decision => decision.Refusal is not null) is { Refusal: { } refusal })
                return await RepeatsAsync(checkpoints, views, decisions, keyed, cancellationToken).ConfigureAwait(false) ?? throw refusal;
            try
            {
                return await CommitTogetherAsync(views, decisions, keyed, cancellationToken).ConfigureAwait(false);
            }
            catch (StateConflictException) when (attempt < _options.DecideAttemptsMax)
            {
                foreach (CheckpointRequest asked in checkpoints)
                    _known.Remove(asked.Agent);
            }
            catch (RefusedException refused) when (refused.Code == ErrorCode.IdempotencyKeyReused && idempotencyKey is not null)
            {
                return await RepeatsAsync(checkpoints, views, decisions, keyed, cancellationToken).ConfigureAwait(false)
                    ?? throw ExecutionRefusals.KeyReused(checkpoints[0].Agent, idempotencyKey);
            }
        }
    }

    private async ValueTask<ImmutableArray<Written>> CommitTogetherAsync(
        ExecutionView[] views, ExecutionDecision[] decisions, KeyedRequest?[] keyed, CancellationToken cancellationToken)
    {
        long began = _clock.GetTimestamp();
        ImmutableArray<AgentCommitRequest> commits =
            [.. views.Select((view, i) => new AgentCommitRequest(view.Agent, Request(view, decisions[i], keyed[i])))];
        ImmutableArray<CommitReceipt> receipts = await _agents.CommitTogetherAsync(commits, cancellationToken).ConfigureAwait(false);
        var written = ImmutableArray.CreateBuilder<Written>(receipts.Length);
        for (int i = 0; i < receipts.Length; i++)
        {
            ExecutionView after = After(views[i].Agent, decisions[i], receipts[i]);
            written.Add(Written.By(after, receipts[i]));
            OnCheckpoint(after);
        }
        ExecutionsMetrics.Duration(_clock.GetElapsedTime(began));
        return written.MoveToImmutable();
    }

    /// <summary>The first receipts, where each of the checkpoints is there already; null where one is not.</summary>
    private async ValueTask<ImmutableArray<Written>?> RepeatsAsync(
        ImmutableArray<CheckpointRequest> checkpoints, ExecutionView[] views, ExecutionDecision[] decisions, KeyedRequest?[] keyed,
        CancellationToken cancellationToken)
    {
        var repeats = ImmutableArray.CreateBuilder<Written>(checkpoints.Length);
        for (int i = 0; i < checkpoints.Length; i++)
        {
            Written? repeat = null;
            if (keyed[i] is { } request)
                repeat = await FindRepeatAsync(StateOf(views[i].Agent), views[i], request, cancellationToken).ConfigureAwait(false);
            if (repeat is null && decisions[i].MayBeRepeat)
                repeat = await RepeatOfLastAsync(views[i], checkpoints[i].State, cancellationToken).ConfigureAwait(false);
            if (repeat is null)
                return null;
            repeats.Add(repeat);
        }
        return repeats.MoveToImmutable();
    }

    private void CheckTogether(ImmutableArray<CheckpointRequest> checkpoints)
    {
        if (checkpoints.Length is 0 or > TogetherMax)
            throw RefusedException.Invalid("checkpoints", $"1..{TogetherMax} of them", $"{checkpoints.Length}");
        var seen = new HashSet<AgentId>();
        for (int i = 0; i < checkpoints.Length; i++)
        {
            CreationRequest.CheckState(checkpoints[i].State, _limits);
            if (!seen.Add(checkpoints[i].Agent))
                throw RefusedException.Invalid($"checkpoints[{i}].execution_id", "named once", $"\"{checkpoints[i].Agent.Name}\" again");
        }
    }
}

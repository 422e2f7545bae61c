using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <content>Checkpoints that wait in memory.</content>
public sealed partial class ExecutionService
{
    /// <summary>Checkpoints that wait now.</summary>
    public long BufferedCount => _buffer.Count;

    /// <summary>Takes a checkpoint into this process's memory; a crash loses it. Reads do not show it before it is written.</summary>
    /// <returns>How many wait for this execution.</returns>
    /// <exception cref="StateConflictException">SH-1001. Refused already, or an earlier one was when it was written.</exception>
    /// <exception cref="JournalBusyException">SH-2003. The buffer is full.</exception>
    public async ValueTask<int> BufferAsync(AgentId agent, long step, JsonText state, long? token, CancellationToken cancellationToken)
    {
        CreationRequest.CheckState(state, _limits);
        if (!_buffer.MayHold(agent))
        {
            ExecutionView? view = _known.Find(agent);
            if (view is null || ExecutionRules.Checkpoint(view, step, state, token, Now).Refusal is not null)
            {
                view = await ReadAsync(agent, Consistency.Default, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(agent);
                _known.Put(view);
            }
            ExecutionDecision decision = ExecutionRules.Checkpoint(view, step, state, token, Now);
            if (decision.Refusal is { } refusal && !(decision.MayBeRepeat && view.Mark.StateBytes == state.Length))
                throw refusal;
        }
        return _buffer.Add(agent, new BufferedCheckpoint(step, state, token));
    }

    /// <summary>Writes what is buffered of an execution.</summary>
    /// <returns>How many were written, and the execution after them.</returns>
    /// <exception cref="StateConflictException">SH-1001, with <c>buffered_step</c>: one was refused.</exception>
    public async ValueTask<(int Flushed, ExecutionView View)> FlushAsync(AgentId agent, CancellationToken cancellationToken)
    {
        int flushed = await _buffer.FlushAsync(agent, cancellationToken).ConfigureAwait(false);
        ExecutionView view = await ReadAsync(agent, Consistency.Default, cancellationToken).ConfigureAwait(false) ?? throw ExecutionRefusals.Unknown(agent);
        return (flushed, view);
    }

    /// <summary>Writes what is buffered of all executions, once: where the journal is away, it still waits.</summary>
    public Task DrainAsync() => _buffer.FlushAllAsync();

    /// <summary>Writes what is buffered. Call it when no request is in flight, before the agents go.</summary>
    public async ValueTask DisposeAsync()
    {
        await _buffer.DisposeAsync().ConfigureAwait(false);
        if (_thinner is not null)
            await _thinner.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<(int Written, StatehouseException? Error)> WriteBufferedAsync(
        AgentId agent, IReadOnlyList<BufferedCheckpoint> checkpoints, CancellationToken cancellationToken)
    {
        int written = 0;
        try
        {
            // One after the other: each is decided on what the one before has made, also where somebody else writes meanwhile.
            for (; written < checkpoints.Count; written++)
                await WriteOneAsync(agent, checkpoints[written], cancellationToken).ConfigureAwait(false);
            return (written, null);
        }
        catch (StatehouseException error)
        {
            return (written, error);
        }
    }

    private async ValueTask WriteOneAsync(AgentId agent, BufferedCheckpoint checkpoint, CancellationToken cancellationToken)
    {
        Written written = await WriteNowAsync(
            agent, _known.Find(agent),
            view => new ValueTask<ExecutionDecision>(ExecutionRules.Checkpoint(view, checkpoint.Step, checkpoint.State, checkpoint.Token, Now)),
            keyed: null, cancellationToken, view => RepeatOfLastAsync(view, checkpoint.State, cancellationToken)).ConfigureAwait(false);
        if (!written.Replayed)
            OnCheckpoint(written.View);
    }
}

using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Executions;

/// <content>Checkpoints that wait in memory.</content>
public sealed partial class ExecutionService
{
    // Commits of one execution that are on their way at once.
    private const int PipelinedMax = 64;

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
            while (written < checkpoints.Count)
            {
                int piped = await WritePipelinedAsync(agent, checkpoints, written, cancellationToken).ConfigureAwait(false);
                written += piped;
                if (piped > 0 || written == checkpoints.Count)
                    continue;
                // Its first guess did not hold, or it is refused: alone it is decided on what is there.
                await WriteOneAsync(agent, checkpoints[written], cancellationToken).ConfigureAwait(false);
                written++;
            }
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
            agent, guess: null,
            view => new ValueTask<ExecutionDecision>(ExecutionRules.Checkpoint(view, checkpoint.Step, checkpoint.State, checkpoint.Token, Now)),
            keyed: null, cancellationToken, view => RepeatOfLastAsync(view, checkpoint.State, cancellationToken)).ConfigureAwait(false);
        if (!written.Replayed)
            OnCheckpoint(written.View);
    }

    /// <summary>
    /// Sends several commits without waiting for each: every one is decided on what the one before will have made, and
    /// commits on exactly that or not at all.
    /// </summary>
    /// <returns>How many are durable; where it is fewer than were sent, none of the others is.</returns>
    private async ValueTask<int> WritePipelinedAsync(
        AgentId agent, IReadOnlyList<BufferedCheckpoint> checkpoints, int from, CancellationToken cancellationToken)
    {
        if (_known.Find(agent) is not { } view)
            return 0;
        IAgentState state = StateOf(agent);
        var sent = new List<(ExecutionDecision Decision, Task<CommitReceipt> Commit)>();
        for (int i = from; i < checkpoints.Count && sent.Count < PipelinedMax; i++)
        {
            BufferedCheckpoint next = checkpoints[i];
            ExecutionDecision decision = ExecutionRules.Checkpoint(view, next.Step, next.State, next.Token, Now);
            if (decision.Refusal is not null)
                break;
            sent.Add((decision, state.CommitAsync(Request(view, decision, keyed: null), cancellationToken).AsTask()));
            view = view with { Run = decision.Run, Mark = decision.Mark, Version = view.Version.Next, Time = Now, RunIsNewest = decision.WritesRun };
        }
        int durable = 0;
        StatehouseException? fault = null;
        for (int i = 0; i < sent.Count; i++)
        {
            (ExecutionDecision decision, Task<CommitReceipt> commit) = sent[i];
            try
            {
                CommitReceipt receipt = await commit.ConfigureAwait(false);
                OnCheckpoint(After(agent, decision, receipt));
                // It stands on those before it: one whose outcome was not known is there too.
                durable = i + 1;
            }
            catch (StateConflictException)
            {
                _known.Remove(agent);
            }
            catch (StatehouseException error)
            {
                _known.Remove(agent);
                fault ??= error;
            }
        }
        // What is durable is told first; the fault comes again, or not, with the next one.
        return durable > 0 || fault is null ? durable : throw fault;
    }
}

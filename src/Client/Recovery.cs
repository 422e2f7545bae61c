namespace Statehouse.Client;

/// <summary>One run of <see cref="ExecutionsClient.RecoverAllAsync"/>.</summary>
internal sealed class Recovery(
    ExecutionsClient client, Func<RecoveredExecution, CancellationToken, Task<object?>> handler, RecoveryOptions options, TimeProvider clock)
{
    // Two heartbeats may get lost.
    private const int HeartbeatsPerLease = 3;

    private int _claimed;
    private int _completed;
    private int _failed;
    private int _left;
    private int _lost;

    private enum Outcome
    {
        Completed,
        Failed,
        Left,
        Lost,
    }

    public async Task<RecoveryReport> RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(Enumerable.Range(0, options.Concurrency).Select(_ => WorkAsync(cancellationToken))).ConfigureAwait(false);
        return new RecoveryReport(_claimed, _completed, _failed, _left, _lost);
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await ClaimAsync(cancellationToken).ConfigureAwait(false) is { } claim)
                Count(await HandleAsync(new RecoveredExecution(client, claim), cancellationToken).ConfigureAwait(false));
            else if (options.Poll is { } poll)
                await Task.Delay(poll, clock, cancellationToken).ConfigureAwait(false);
            else
                return;
        }
    }

    private async Task<ClaimedExecution?> ClaimAsync(CancellationToken cancellationToken)
    {
        var request = new ClaimRequest(options.Worker, 1, options.Workflow, options.Labels);
        try
        {
            return (await client.ClaimAsync(request, cancellationToken).ConfigureAwait(false)).SingleOrDefault();
        }
        catch (StatehouseException fault) when (fault.IsFault && options.Poll is not null)
        {
            options.OnError?.Invoke(fault);
            return null;
        }
    }

    private async Task<Outcome> HandleAsync(RecoveredExecution run, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<bool> heart = BeatAsync(run, stop, done.Token);
        object? result = null;
        Exception? thrown = null;
        try
        {
            result = await handler(run, stop.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever a handler throws is told to its owner, and decides what becomes of the run.
            thrown = error;
        }
        finally
        {
            await done.CancelAsync().ConfigureAwait(false);
        }
        bool isLost = !await heart.ConfigureAwait(false);
        return await SettleAsync(run, result, thrown, isLost, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Outcome> SettleAsync(
        RecoveredExecution run, object? result, Exception? thrown, bool isLost, CancellationToken cancellationToken)
    {
        if (run.Ended is { } ended)
            return ended == ExecutionStatus.Completed ? Outcome.Completed : Outcome.Failed;
        if (thrown is not null)
            options.OnError?.Invoke(thrown);
        if (isLost || thrown is StaleTokenException)
            return Outcome.Lost;
        try
        {
            if (thrown is null)
                await run.CompleteAsync(result, cancellationToken).ConfigureAwait(false);
            else if (run.Execution.Attempt >= run.Execution.MaxAttempts)
                await run.FailAsync(ExecutionFailure.Of(thrown), cancellationToken).ConfigureAwait(false);
            else
                return Outcome.Left;
            return thrown is null ? Outcome.Completed : Outcome.Failed;
        }
        catch (StatehouseException error) when (error.IsConflict || error.IsNotFound || error.IsFault)
        {
            // Another worker has it, somebody paused, cancelled or removed it, or the server is away: another attempt is due.
            options.OnError?.Invoke(error);
            return error is StaleTokenException ? Outcome.Lost : Outcome.Left;
        }
    }

    /// <returns>Whether the lease was held to the end.</returns>
    private async Task<bool> BeatAsync(RecoveredExecution run, CancellationTokenSource stop, CancellationToken done)
    {
        TimeSpan lease = run.Lease;
        long renewed = clock.GetTimestamp();
        try
        {
            while (clock.GetElapsedTime(renewed) < lease)
            {
                await Task.Delay(lease / HeartbeatsPerLease, clock, done).ConfigureAwait(false);
                long asked = clock.GetTimestamp();
                try
                {
                    await client.HeartbeatAsync(run.Id, run.Token, done).ConfigureAwait(false);
                    renewed = asked;
                }
                catch (StatehouseException fault) when (fault.IsFault)
                {
                    options.OnError?.Invoke(fault);
                }
                catch (StatehouseException) when (run.IsEnding)
                {
                    return true;
                }
                catch (StatehouseException refusal)
                {
                    options.OnError?.Invoke(refusal);
                    break;
                }
            }
            await stop.CancelAsync().ConfigureAwait(false);
            return false;
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            return true;
        }
    }

    private void Count(Outcome outcome)
    {
        Interlocked.Increment(ref _claimed);
        switch (outcome)
        {
            case Outcome.Completed: Interlocked.Increment(ref _completed); break;
            case Outcome.Failed: Interlocked.Increment(ref _failed); break;
            case Outcome.Left: Interlocked.Increment(ref _left); break;
            case Outcome.Lost: Interlocked.Increment(ref _lost); break;
        }
    }
}

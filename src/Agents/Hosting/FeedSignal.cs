using Statehouse.Journal;

namespace Statehouse.Agents.Hosting;

/// <summary>Wakes whoever waits for the feed to move. Costs one comparison per commit while nobody waits.</summary>
internal sealed class FeedSignal
{
    private TaskCompletionSource? _waiters;
    private long _position;

    /// <summary>The highest commit_ts that this process has seen become durable.</summary>
    public CommitTs Position => new(Interlocked.Read(ref _position));

    public void Advance(CommitTs commitTs)
    {
        long seen = Interlocked.Read(ref _position);
        while (commitTs.Value > seen)
        {
            long before = Interlocked.CompareExchange(ref _position, commitTs.Value, seen);
            if (before == seen)
                break;
            seen = before;
        }
        Interlocked.Exchange(ref _waiters, null)?.TrySetResult();
    }

    /// <summary>Returns when the position is above <paramref name="afterExclusive"/>, or after <paramref name="bound"/>.</summary>
    public async Task WaitAsync(CommitTs afterExclusive, TimeSpan bound, TimeProvider clock, CancellationToken cancellationToken)
    {
        TaskCompletionSource waiters = GetOrAdd();
        // It may have moved between the caller's look and the subscription.
        if (Position > afterExclusive)
            return;
        try
        {
            await waiters.Task.WaitAsync(bound, clock, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The bound is part of the contract: the caller looks again.
        }
    }

    private TaskCompletionSource GetOrAdd()
    {
        if (Volatile.Read(ref _waiters) is { } waiters)
            return waiters;
        var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Interlocked.CompareExchange(ref _waiters, fresh, null) ?? fresh;
    }
}

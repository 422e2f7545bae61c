namespace Statehouse.Gateway;

/// <summary>
/// Counts the API calls being answered, streams too, so that a server that is being taken down can refuse new ones and
/// wait for the last of the others.
/// </summary>
internal sealed class DrainGate
{
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _inside;
    private int _draining;

    public bool IsDraining => Volatile.Read(ref _draining) != 0;

    /// <returns>False where no more calls are taken; otherwise <see cref="Leave"/> must follow.</returns>
    public bool TryEnter()
    {
        // Counted before it looks, as a drain looks after it has said so: one of the two sees the other.
        Interlocked.Increment(ref _inside);
        if (Interlocked.CompareExchange(ref _draining, 0, 0) == 0)
            return true;
        Leave();
        return false;
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _inside) == 0 && IsDraining)
            _empty.TrySetResult();
    }

    /// <summary>Takes no more calls from here on; done when those inside have left.</summary>
    public Task DrainAsync()
    {
        Interlocked.Exchange(ref _draining, 1);
        if (Volatile.Read(ref _inside) == 0)
            _empty.TrySetResult();
        return _empty.Task;
    }
}

namespace Statehouse.Agents.Hosting;

/// <summary>
/// Who may decide on an agent: many commits of its own, one after the other under the agent's lock, or one
/// transaction over several agents, alone. First come, first served, so neither kind starves the other.
/// </summary>
internal sealed class TurnGate
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = new();
    private int _sharing;
    private bool _taken;

    /// <summary>Enters beside others of its kind, at once where nobody waits for the turn.</summary>
    public bool TryEnterShared()
    {
        lock (_lock)
        {
            if (_taken || _waiting.Count > 0)
                return false;
            _sharing++;
            return true;
        }
    }

    public Task EnterSharedAsync(CancellationToken cancellationToken) => EnterAsync(exclusive: false, cancellationToken);

    public Task EnterExclusiveAsync(CancellationToken cancellationToken) => EnterAsync(exclusive: true, cancellationToken);

    public void ExitShared()
    {
        lock (_lock)
        {
            _sharing--;
            Admit();
        }
    }

    public void ExitExclusive()
    {
        lock (_lock)
        {
            _taken = false;
            Admit();
        }
    }

    private async Task EnterAsync(bool exclusive, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(exclusive);
        lock (_lock)
        {
            _waiting.AddLast(waiter);
            Admit();
        }
        await using (cancellationToken.UnsafeRegister(_ => GiveUp(waiter, cancellationToken), null))
            await waiter.Admitted.Task.ConfigureAwait(false);
    }

    private void GiveUp(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // Admitted meanwhile: then it holds the turn, and must give it back itself.
            if (!_waiting.Remove(waiter))
                return;
            Admit();
        }
        waiter.Admitted.TrySetCanceled(cancellationToken);
    }

    private void Admit()
    {
        while (_waiting.First is { Value: var next } && !_taken && (!next.Exclusive || _sharing == 0))
        {
            _waiting.RemoveFirst();
            if (next.Exclusive)
                _taken = true;
            else
                _sharing++;
            next.Admitted.TrySetResult();
        }
    }

    private sealed class Waiter(bool exclusive)
    {
        public bool Exclusive { get; } = exclusive;

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

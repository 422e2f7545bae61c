using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Whether this process can serve: asked by <c>/readyz</c>, gRPC's health and whoever balances load. Answers within a bound.</summary>
/// <param name="check">Throws <see cref="StatehouseException"/> where it cannot serve; the last thing that it waits for is the journal.</param>
/// <param name="patience">The most that a check may take.</param>
/// <param name="clock">Time.</param>
internal sealed class Readiness(Func<CancellationToken, ValueTask> check, TimeSpan patience, TimeProvider clock)
{
    private volatile bool _stopping;

    /// <summary>From here on the answer is no.</summary>
    public void Stop() => _stopping = true;

    /// <exception cref="StatehouseException">SH-2001. Not ready; says why.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (_stopping)
            throw new ServerStoppingException();
        using var bound = new CancellationTokenSource(patience, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        try
        {
            // Waited for here as well: a journal that hangs need not heed the token.
            await check(ending.Token).AsTask().WaitAsync(ending.Token);
        }
        catch (OperationCanceledException) when (bound.IsCancellationRequested)
        {
            throw new JournalUnavailableException($"The journal did not answer within {patience.TotalSeconds} s.");
        }
    }
}

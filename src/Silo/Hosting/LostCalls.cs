namespace Statehouse.Silo;

/// <summary>
/// Ends the calls that were under way when a gateway lost a silo. Orleans tells a client nothing of a call that died with
/// its silo; it would wait for the response timeout, which must be long enough for a slow journal.
/// </summary>
/// <remarks>
/// Which of the calls the silo had taken along is not known here, so all that are under way get some time to be answered
/// by the living. A call that is given up ends as Orleans ends one to a silo that is known to be dead.
/// </remarks>
internal sealed class LostCalls : IOutgoingGrainCallFilter, IDisposable
{
    private CancellationTokenSource _underWay = new();

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        CancellationToken givenUp = Volatile.Read(ref _underWay).Token;
        try
        {
            await context.Invoke().WaitAsync(givenUp);
        }
        catch (OperationCanceledException) when (givenUp.IsCancellationRequested)
        {
            throw new SiloUnavailableException("A silo was lost while this call was under way, and no answer came from another one.");
        }
    }

    /// <summary>Calls from here on are not concerned.</summary>
    public void OnSiloLost() =>
        Interlocked.Exchange(ref _underWay, new CancellationTokenSource()).CancelAfter(ClusterTuning.LostCallPatience);

    public void Dispose() => _underWay.Dispose();
}

namespace Statehouse.Silo;

/// <summary>
/// A gateway's connections to silos: waits for the first one at start, and sees to it that there is one again after the
/// last was lost.
/// </summary>
internal sealed class SiloConnections(LostCalls lostCalls, TimeProvider clock, SiloLog log)
    : IClientConnectionRetryFilter, IClusterConnectionStatusObserver, IDisposable
{
    private readonly long _began = clock.GetTimestamp();
    private readonly CancellationTokenSource _ending = new();
    private IGrainFactory? _grains;
    private int _count;
    private int _reconnecting;

    public int Count => Volatile.Read(ref _count);

    /// <summary>The client has connected for the first time.</summary>
    public void OnStarted(IGrainFactory grains) => Volatile.Write(ref _grains, grains);

    /// <summary>From here on connections that go are meant to.</summary>
    public void OnLeaving() => _ending.Cancel();

    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        if (clock.GetElapsedTime(_began) > ClusterTuning.JoinPatience)
            return false;
        log.NoSilo(exception);
        await Task.Delay(ClusterTuning.ConnectRetryEvery, clock, cancellationToken);
        return true;
    }

    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered)
    {
        Volatile.Write(ref _count, currentNumberOfGateways);
        if (_ending.IsCancellationRequested)
            return;
        if (currentNumberOfGateways < previousNumberOfGateways)
            lostCalls.OnSiloLost();
        log.Connected(currentNumberOfGateways);
        if (currentNumberOfGateways == 0)
            _ = Task.Run(ReconnectAsync);
    }

    public void NotifyClusterConnectionLost()
    {
        if (!_ending.IsCancellationRequested)
            log.ConnectionLost();
    }

    public void Dispose()
    {
        _ending.Cancel();
        _ending.Dispose();
    }

    /// <summary>
    /// Orleans connects when there is something to send. A gateway that is not ready is sent nothing, so it would never
    /// be ready again by itself.
    /// </summary>
    private async Task ReconnectAsync()
    {
        if (Volatile.Read(ref _grains) is not { } grains)
            return;
        // One at a time; whoever finds it running leaves it to that, which looks again when it is done.
        while (Count == 0 && !_ending.IsCancellationRequested && Interlocked.Exchange(ref _reconnecting, 1) == 0)
        {
            await ReconnectAsync(grains);
            Interlocked.Exchange(ref _reconnecting, 0);
        }
    }

    private async Task ReconnectAsync(IGrainFactory grains)
    {
        while (Count == 0 && !_ending.IsCancellationRequested)
        {
            try
            {
                // Answered by the silo that it comes to: a stateless worker of Orleans' own.
                await grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true);
            }
            catch (Exception error) when (error is OrleansException or TimeoutException or ObjectDisposedException)
            {
                log.NoSilo(error);
            }
            await Task.Delay(ClusterTuning.ConnectRetryEvery, clock);
        }
    }
}

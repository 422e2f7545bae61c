using Statehouse.Agents.Hosting;

namespace Statehouse.Grains;

/// <summary>Hears which silos leave the cluster, this one among them, and tells whom it concerns here.</summary>
/// <remarks>
/// A silo that leaves, however gracefully, may have appends under way when its agents are activated elsewhere. It also takes
/// its part of Orleans' directory along: agents registered there are activated anew while they are still being
/// deactivated here, and such a deactivation waits for the calls under way, of which a follower's lasts for long.
/// </remarks>
internal sealed class SiloChanges(AgentHosting hosting, ISiloStatusOracle silos)
    : ISiloStatusListener, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource _unchanged = new();
    private bool _isStopping;

    /// <summary>Cancelled when a silo leaves: who waits for long begins anew then. From this silo's own end on, at once.</summary>
    public CancellationToken Unchanged
    {
        get
        {
            lock (_lock)
                return _unchanged.Token;
        }
    }

    public void Participate(ISiloLifecycle lifecycle)
    {
        lifecycle.Subscribe(nameof(SiloChanges), ServiceLifecycleStage.ApplicationServices, OnStart);
        // The last stage to start is the first to stop: before activations are deactivated.
        lifecycle.Subscribe(nameof(SiloChanges), ServiceLifecycleStage.Active, _ => Task.CompletedTask, OnStop);
    }

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (!status.IsTerminating() || updatedSilo.Equals(silos.SiloAddress))
            return;
        hosting.OnWriterLost();
        OnChange(isStopping: false);
    }

    public void Dispose() => _unchanged.Dispose();

    private Task OnStart(CancellationToken cancellationToken)
    {
        silos.SubscribeToSiloStatusEvents(this);
        // When those left is not known here; one of them may be this silo's own past.
        if (silos.GetApproximateSiloStatuses().Any(silo => silo.Value.IsTerminating() && !silo.Key.Equals(silos.SiloAddress)))
            hosting.OnWriterLost();
        return Task.CompletedTask;
    }

    private Task OnStop(CancellationToken cancellationToken)
    {
        OnChange(isStopping: true);
        return Task.CompletedTask;
    }

    private void OnChange(bool isStopping)
    {
        CancellationTokenSource before;
        lock (_lock)
        {
            before = _unchanged;
            _isStopping |= isStopping;
            if (!_isStopping)
                _unchanged = new CancellationTokenSource();
        }
        // Not here: whoever waits would go on in the middle of the membership's news.
        _ = before.CancelAsync();
    }
}

namespace Statehouse.Bench.Measuring;

/// <summary>How a load arrives.</summary>
/// <param name="InFlight">Sessions; each has one request at a time in flight.</param>
/// <param name="RatePerSecond">
/// null = closed loop: a session sends its next request when it has its answer. Otherwise open loop: requests are due at this
/// mean rate whatever the target does, at random moments as independent callers send them.
/// </param>
internal sealed record LoadShape(int InFlight, double? RatePerSecond = null)
{
    public bool IsOpen => RatePerSecond is not null;
}

/// <summary>How long one case is measured.</summary>
/// <param name="WarmUp">Runs before, unmeasured.</param>
/// <param name="Duration">Of one run.</param>
/// <param name="Runs">Measured runs.</param>
internal sealed record LoadPlan(TimeSpan WarmUp, TimeSpan Duration, int Runs);

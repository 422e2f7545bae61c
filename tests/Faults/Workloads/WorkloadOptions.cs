namespace Statehouse.Faults.Workloads;

/// <summary>What all workloads of a run have in common.</summary>
/// <param name="Seed">Of the run; part of the agents' names.</param>
/// <remarks>
/// Calls per second are about clients ÷ (<see cref="Pause"/> + what a call takes): 32 clients at 50 ms make some 500, which is 900,000 in
/// half an hour.
/// </remarks>
public sealed record WorkloadOptions(int Seed)
{
    /// <summary>More than one process may serve one agent: only reads that ask for it are linearizable then.</summary>
    public bool IsShared { get; init; }

    /// <summary>Mean pause of one client between two calls. Most calls follow at once, some after a multiple of it, so that clients meet.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Calls of one workload, all its clients together, until it goes on with fresh agents: what bounds journals, and what a checker must order.</summary>
    public int CallsPerGeneration { get; init; } = 1500;
}

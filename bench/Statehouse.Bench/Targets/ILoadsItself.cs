using Statehouse.Bench.Measuring;
using Statehouse.Bench.Workloads;

namespace Statehouse.Bench.Targets;

/// <summary>A target that exists for one language only, which is not ours: a program of that language makes the load, and says what came of it.</summary>
internal interface ILoadsItself
{
    /// <summary>Makes the requests of <see cref="IWorkload.Preparation"/>.</summary>
    /// <returns>Commits acknowledged.</returns>
    Task<long> PrepareAsync(IWorkload workload);

    /// <summary>A closed loop with so many requests in flight.</summary>
    /// <param name="workload">What to ask.</param>
    /// <param name="inFlight">At once.</param>
    /// <param name="duration">Measured time; the program may warm up before, and says what that committed.</param>
    /// <param name="firstNumber">Requests are numbered from here.</param>
    Task<LoadOutcome> RunAsync(IWorkload workload, int inFlight, TimeSpan duration, long firstNumber);
}

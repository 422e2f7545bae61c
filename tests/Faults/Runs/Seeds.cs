using System.Text;

namespace Statehouse.Faults.Runs;

/// <summary>Makes of one seed many that have nothing to do with each other, the same in every process.</summary>
internal static class Seeds
{
    private const uint OffsetBasis = 2166136261;
    private const uint Prime = 16777619;

    /// <param name="seed">The run's.</param>
    /// <param name="what">For whom: a workload, the schedule.</param>
    /// <param name="number">Which of these.</param>
    public static int For(int seed, string what, int number = 0)
    {
        // FNV-1a: string.GetHashCode differs from process to process.
        uint hash = OffsetBasis;
        foreach (byte part in Encoding.UTF8.GetBytes($"{seed}/{what}/{number}"))
            hash = (hash ^ part) * Prime;
        return (int)hash;
    }
}

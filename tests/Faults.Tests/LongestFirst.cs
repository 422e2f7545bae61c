using Xunit.Sdk;
using Xunit.v3;

namespace Statehouse.Faults.Tests;

/// <summary>Begins what takes longest first: the rest fits beside it.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    // Minutes, then tens of seconds; all others take less.
    private static readonly string[] Long = ["TimedRun", "PlantedDefect", "CrashPoint", "MidCommit", "FaultTests"];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Rank(collection.TestCollectionDisplayName)).ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal)];

    private static int Rank(string name)
    {
        int rank = Array.FindIndex(Long, part => name.Contains(part, StringComparison.Ordinal));
        return rank < 0 ? Long.Length : rank;
    }
}

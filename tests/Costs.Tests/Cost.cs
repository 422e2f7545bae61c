using System.Globalization;

namespace Statehouse.Costs.Tests;

/// <summary>Says what was measured, and fails where it is more than it was. A gain passes: then lower the number that stands in the test.</summary>
internal static class Cost
{
    /// <param name="what">What was measured, with its unit.</param>
    /// <param name="measured">Above zero: a cost of nothing at all was not measured.</param>
    /// <param name="recorded">What it was when the test was written.</param>
    /// <param name="slack">How much more of it passes, as a factor: no more than its own noise needs.</param>
    public static void AtMost(string what, double measured, double recorded, double slack)
    {
        string line = string.Create(CultureInfo.InvariantCulture, $"{what}: {measured:0.##} (recorded {recorded:0.##}, at most {recorded * slack:0.##})");
        TestContext.Current.TestOutputHelper!.WriteLine(line);
        Assert.True(measured > 0 && measured <= recorded * slack, line);
    }
}

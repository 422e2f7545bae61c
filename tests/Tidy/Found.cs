using Xunit;

namespace Statehouse.Tidy;

internal static class Found
{
    /// <summary>Fails with every finding at once, one a line: fixing them one by one wastes runs.</summary>
    public static void Nothing(IEnumerable<string> findings)
    {
        List<string> all = findings.ToList();
        Assert.True(all.Count == 0, $"{all.Count} found:\n{string.Join('\n', all)}");
    }

    /// <summary>Both sets must be equal; names what is missing on either side.</summary>
    public static void SameOnBothSides(string left, IEnumerable<string> leftItems, string right, IEnumerable<string> rightItems)
    {
        var leftSet = leftItems.ToHashSet();
        var rightSet = rightItems.ToHashSet();
        Assert.NotEmpty(leftSet);
        Nothing([
            .. leftSet.Except(rightSet).Order().Select(item => $"{item}: in {left}, not in {right}"),
            .. rightSet.Except(leftSet).Order().Select(item => $"{item}: in {right}, not in {left}"),
        ]);
    }
}

using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>Compares states key by key.</summary>
internal static class Scans
{
    /// <param name="expected">As the journal says.</param>
    /// <param name="seen">As a server answered.</param>
    /// <param name="protocol">Through which protocol it answered.</param>
    /// <returns>The first difference in words; null = none.</returns>
    public static string? Difference(IReadOnlyList<ScannedKey> expected, IReadOnlyList<ScannedKey> seen, string protocol)
    {
        for (int i = 0; i < Math.Max(expected.Count, seen.Count); i++)
        {
            ScannedKey? right = i < expected.Count ? expected[i] : null;
            ScannedKey? shown = i < seen.Count ? seen[i] : null;
            if (right is null || shown is null || right.Key != shown.Key)
                return $"item {i + 1} is {Name(shown)}, where the journal has {Name(right)}";
            if (right.KeyVersion != shown.KeyVersion)
                return $"{right.Key} is at version {shown.KeyVersion}, where the journal has {right.KeyVersion}";
            if (!JsonTexts.AreSame(right.Value, shown.Value, protocol))
                return $"{right.Key} is {shown.Value}, where the journal has {right.Value}";
        }
        return null;
    }

    private static string Name(ScannedKey? key) => key is null ? "nothing" : $"{key.Key} at version {key.KeyVersion}";
}

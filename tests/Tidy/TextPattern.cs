using System.Text.RegularExpressions;

namespace Statehouse.Tidy;

/// <summary>Text as a document shows it, with "…" for anything.</summary>
internal static class TextPattern
{
    public static bool Matches(string shown, string actual) =>
        Regex.IsMatch(actual, "^" + Regex.Escape(shown).Replace("…", ".*", StringComparison.Ordinal) + "$", RegexOptions.Singleline);

    /// <returns>The first line shown that the text does not hold behind the one before; null where all stand there in order.</returns>
    public static string? Difference(string shown, string actual)
    {
        string[] lines = actual.Split('\n');
        int next = 0;
        foreach (string line in shown.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            while (next < lines.Length && !Matches(line, lines[next]))
                next++;
            if (next++ == lines.Length)
                return $"no line as \"{line}\"";
        }
        return null;
    }
}

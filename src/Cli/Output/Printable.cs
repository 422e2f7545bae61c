using System.Globalization;
using System.Text;
using Spectre.Console.Rendering;

namespace Statehouse.Cli;

/// <summary>
/// Makes foreign text safe to show: what an agent wrote must not be able to move the cursor, recolour the terminal or
/// turn the direction of a line around.
/// </summary>
internal static class Printable
{
    private const string Ellipsis = "…";

    /// <summary>Control and formatting characters, and every line break, as <c>\u001b</c>; the rest as it is.</summary>
    public static string OneLine(string text)
    {
        if (!text.EnumerateRunes().Any(IsUnsafe))
            return text;
        var safe = new StringBuilder(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (IsUnsafe(rune))
                safe.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
            else
                safe.Append(rune);
        }
        return safe.ToString();
    }

    /// <summary>JSON on one line: line breaks and tabs between its tokens become spaces; within strings they are escaped anyway.</summary>
    public static string Json(ReadOnlySpan<byte> json) => OneLine(
        Encoding.UTF8.GetString(json).Replace("\r\n", " ", StringComparison.Ordinal).Replace('\n', ' ').Replace('\r', ' ').Replace('\t', ' '));

    /// <summary>An id or key inside of a line of several: in quotes where it could be read as more than one word.</summary>
    public static string Word(string text)
    {
        string safe = OneLine(text);
        bool isPlain = safe.Length > 0 && !safe.Any(c => char.IsWhiteSpace(c) || c == '"') && safe == text;
        return isPlain ? safe : $"\"{safe.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>The text, or as much of it as fits, with an ellipsis.</summary>
    /// <param name="text">Made safe before.</param>
    /// <param name="columns">Of a terminal: wide characters take two.</param>
    public static string Cut(string text, int columns)
    {
        int used = 0;
        int fits = 0;
        int position = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            used += Columns(rune);
            position += rune.Utf16SequenceLength;
            if (used > columns)
                return columns <= 0 ? "" : text[..fits] + Ellipsis;
            if (used <= columns - 1)
                fits = position;
        }
        return text;
    }

    /// <summary>How wide a text is on a terminal.</summary>
    /// <param name="text">Made safe before.</param>
    public static int Columns(string text) => text.EnumerateRunes().Sum(Columns);

    private static int Columns(Rune rune) => rune.IsAscii ? 1 : new Segment(rune.ToString()).CellCount();

    private static bool IsUnsafe(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate
        // Of the formatting characters only those that turn or hide text; joiners belong to emoji and scripts.
        || rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0x200E or 0x200F or 0x061C or 0xFEFF;
}

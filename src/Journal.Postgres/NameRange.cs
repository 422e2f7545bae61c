using System.Text;

namespace Statehouse.Journal.Postgres;

/// <summary>
/// Ranges of names in byte order of their UTF-8, for a database that can hold neither NUL nor unpaired surrogates:
/// callers may pass either in a prefix or a cursor.
/// </summary>
internal static class NameRange
{
    /// <summary>Whether a name could be, or start with, this text.</summary>
    public static bool CanExist(string text) => !text.Contains('\0') && IsWellFormed(text);

    /// <summary>The least text above all names that start with <paramref name="prefix"/>; null where there is none.</summary>
    /// <remarks>UTF-8 keeps the order of code points, so the last one that has a successor is replaced by it.</remarks>
    public static string? End(string prefix)
    {
        Rune[] runes = [.. prefix.EnumerateRunes()];
        for (int last = runes.Length - 1; last >= 0; last--)
        {
            if (runes[last].Value == MaxCodePoint)
                continue;
            Rune next = runes[last].Value == BeforeSurrogates ? new Rune(AfterSurrogates) : new Rune(runes[last].Value + 1);
            return string.Concat(runes[..last].Append(next));
        }
        return null;
    }

    /// <summary>A cursor with the same names after it. No name holds NUL, so nothing lies between a text and that text with NUL.</summary>
    public static string? After(string? cursor)
    {
        if (cursor is null)
            return null;
        int nul = cursor.IndexOf('\0');
        string kept = nul < 0 ? cursor : cursor[..nul];
        return IsWellFormed(kept) ? kept : string.Concat(kept.EnumerateRunes()); // unpaired surrogates become U+FFFD
    }

    private const int MaxCodePoint = 0x10FFFF;
    private const int BeforeSurrogates = 0xD7FF;
    private const int AfterSurrogates = 0xE000;

    private static bool IsWellFormed(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }
        return true;
    }
}

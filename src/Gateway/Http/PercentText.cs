using System.Text;
using System.Text.Unicode;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>
/// Percent-decoding that refuses what it cannot decode exactly: broken escapes, bytes that are not UTF-8, NUL. Decodes
/// once: <c>%252F</c> is the three characters <c>%2F</c>.
/// </summary>
internal static class PercentText
{
    private const string MustBe = "percent-encoded UTF-8 without NUL";

    /// <exception cref="RefusedException">SH-1003.</exception>
    public static string DecodeText(string field, ReadOnlySpan<char> raw, bool plusIsSpace = false)
    {
        if (IsPlain(raw))
            return raw.ToString();
        return Encoding.UTF8.GetString(Decode(field, raw, plusIsSpace));
    }

    /// <exception cref="RefusedException">SH-1003.</exception>
    public static byte[] Decode(string field, ReadOnlySpan<char> raw, bool plusIsSpace = false)
    {
        byte[] bytes = new byte[raw.Length];
        int length = 0;
        for (int i = 0; i < raw.Length; i++)
        {
            char c = raw[i];
            if (c == '%')
            {
                bytes[length++] = Escape(field, raw[i..]);
                i += 2;
            }
            else if (c > 0x7F)
            {
                throw RefusedException.Invalid(field, MustBe, "one with a character beyond ASCII that is not encoded");
            }
            else
            {
                bytes[length++] = c == '+' && plusIsSpace ? (byte)' ' : (byte)c;
            }
        }
        Span<byte> decoded = bytes.AsSpan(0, length);
        if (decoded.Contains((byte)0))
            throw RefusedException.Invalid(field, MustBe, "one with NUL");
        if (!Utf8.IsValid(decoded))
            throw RefusedException.Invalid(field, MustBe, "not UTF-8");
        return length == bytes.Length ? bytes : decoded.ToArray();
    }

    private static byte Escape(string field, ReadOnlySpan<char> at)
    {
        if (at.Length < 3 || !char.IsAsciiHexDigit(at[1]) || !char.IsAsciiHexDigit(at[2]))
            throw RefusedException.Invalid(field, MustBe, "one with a broken % escape");
        return (byte)((HexValue(at[1]) << 4) | HexValue(at[2]));
    }

    private static int HexValue(char digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static bool IsPlain(ReadOnlySpan<char> raw) =>
        raw.IndexOfAny('%', '+', '\0') < 0 && Ascii.IsValid(raw);
}

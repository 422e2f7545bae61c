using System.Text;

namespace Statehouse.Gateway;

/// <summary>The percent-encoding of <c>grpc-message</c>: printable ASCII but <c>%</c> stands for itself, every other byte of the UTF-8 is <c>%XX</c>.</summary>
internal static class PercentMessage
{
    private const string HexDigits = "0123456789ABCDEF";

    /// <param name="text">For a person.</param>
    /// <param name="charsMax">Of the result: a client bounds all of its headers together, mostly to 8 KiB. Cut between characters.</param>
    public static string Encode(string text, int charsMax)
    {
        var encoded = new StringBuilder(Math.Min(text.Length, charsMax));
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in text.EnumerateRunes())
        {
            int written = rune.EncodeToUtf8(utf8);
            bool isPlain = rune.Value is >= 0x20 and <= 0x7E && rune.Value != '%';
            if (encoded.Length + (isPlain ? 1 : 3 * written) > charsMax)
                break;
            if (isPlain)
                encoded.Append((char)rune.Value);
            else
                AppendEscaped(encoded, utf8[..written]);
        }
        return encoded.ToString();
    }

    private static void AppendEscaped(StringBuilder encoded, ReadOnlySpan<byte> utf8)
    {
        foreach (byte code in utf8)
            encoded.Append('%').Append(HexDigits[code >> 4]).Append(HexDigits[code & 0xF]);
    }
}

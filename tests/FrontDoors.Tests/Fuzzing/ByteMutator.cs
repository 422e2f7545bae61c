using System.Text;

namespace Statehouse.FrontDoors.Tests.Fuzzing;

/// <summary>Changes bytes without knowing what they mean.</summary>
internal static class ByteMutator
{
    /// <summary>What parsers of text, JSON, UTF-8, lengths and numbers stumble over.</summary>
    private static readonly byte[][] Tokens =
    [
        "\0"u8.ToArray(), "\r\n"u8.ToArray(), "\n"u8.ToArray(), "\r"u8.ToArray(), "\r\n\r\n"u8.ToArray(), " "u8.ToArray(), "\t"u8.ToArray(), "%"u8.ToArray(),
        "%00"u8.ToArray(), "%2F"u8.ToArray(), "%ff"u8.ToArray(), "%u0041"u8.ToArray(), "\""u8.ToArray(), "\\"u8.ToArray(), "\\ud800"u8.ToArray(),
        "\\udc00\\ud800"u8.ToArray(), "\\u0000"u8.ToArray(), "{"u8.ToArray(), "}"u8.ToArray(), "["u8.ToArray(), "]"u8.ToArray(), ","u8.ToArray(), ":"u8.ToArray(),
        "null"u8.ToArray(), "-1"u8.ToArray(), "0"u8.ToArray(), "9223372036854775807"u8.ToArray(), "9223372036854775808"u8.ToArray(),
        "-9223372036854775809"u8.ToArray(), "18446744073709551616"u8.ToArray(), "1e999"u8.ToArray(), "1E-400"u8.ToArray(), "00"u8.ToArray(), "0x10"u8.ToArray(),
        "NaN"u8.ToArray(), [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xEF, 0xBB, 0xBF], [0xE2, 0x80, 0xA8],
        [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0], [0, 0, 0, 0],
        Encoding.UTF8.GetBytes("\U0001F600"), Encoding.ASCII.GetBytes(new string('[', 200)), Encoding.ASCII.GetBytes(new string('9', 400)),
    ];

    /// <param name="random">Of the case.</param>
    /// <param name="original">Left as it is.</param>
    /// <param name="other">Something alike, of which pieces are spliced in.</param>
    public static byte[] Mutate(Random random, byte[] original, byte[] other)
    {
        var bytes = new List<byte>(original);
        for (int changes = 1 + random.Next(4); changes > 0; changes--)
            Change(random, bytes, other);
        return [.. bytes];
    }

    private static void Change(Random random, List<byte> bytes, byte[] other)
    {
        int at = random.Next(bytes.Count + 1);
        int count = Math.Min(bytes.Count - at, 1 + random.Next(random.Next(2) == 0 ? 4 : 64));
        switch (random.Next(8))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes.InsertRange(at, Tokens[random.Next(Tokens.Length)]);
                break;
            case 3:
                byte[] token = Tokens[random.Next(Tokens.Length)];
                bytes.RemoveRange(at, Math.Min(token.Length, bytes.Count - at));
                bytes.InsertRange(at, token);
                break;
            case 4:
                bytes.RemoveRange(at, count);
                break;
            case 5:
                bytes.InsertRange(at, bytes.GetRange(at, count));
                break;
            case 6 when other.Length > 0:
                int from = random.Next(other.Length);
                bytes.InsertRange(at, other.AsSpan(from, Math.Min(other.Length - from, 1 + random.Next(64))));
                break;
            case 7 when random.Next(4) == 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
        }
    }
}

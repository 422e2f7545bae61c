using System.Buffers;

namespace Statehouse.Agents.Codec;

/// <summary>Numbers in as few bytes as they need: seven bits each, the lowest first, the high bit where more follow.</summary>
internal static class Varint
{
    private const int BytesMax = 10;

    public static void Write(IBufferWriter<byte> output, ulong value)
    {
        Span<byte> target = output.GetSpan(BytesMax);
        int length = 0;
        for (; value >= 0x80; value >>= 7)
            target[length++] = (byte)(value | 0x80);
        target[length++] = (byte)value;
        output.Advance(length);
    }

    /// <exception cref="FormatException">The number does not end, or has more than 64 bits.</exception>
    public static ulong Read(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int i = 0; i < bytes.Length && i < BytesMax; i++)
        {
            value |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] >= 0x80)
                continue;
            if (i == BytesMax - 1 && bytes[i] > 1)
                break;
            bytes = bytes[(i + 1)..];
            return value;
        }
        throw new FormatException("A number does not end, or has more than 64 bits.");
    }
}

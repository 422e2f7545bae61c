using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Statehouse.Agents.Codec;

/// <summary>
/// Writes JSON with the least escaping that RFC 8259 allows: quote, backslash and control characters, nothing else.
/// So the same content always makes the same bytes, whatever library version runs: they are hashed.
/// </summary>
public static class JsonBytes
{
    private static readonly SearchValues<byte> MustEscape = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(i => (byte)i), (byte)'"', (byte)'\\']);

    public static void WriteRaw(this IBufferWriter<byte> output, ReadOnlySpan<byte> utf8) => output.Write(utf8);

    public static void WriteNumber(this IBufferWriter<byte> output, long value)
    {
        Span<byte> target = output.GetSpan(20);
        Utf8Formatter.TryFormat(value, target, out int written);
        output.Advance(written);
    }

    public static void WriteString(this IBufferWriter<byte> output, string text) => output.WriteString(Encoding.UTF8.GetBytes(text));

    /// <param name="output">Where to.</param>
    /// <param name="utf8">Well-formed UTF-8.</param>
    public static void WriteString(this IBufferWriter<byte> output, ReadOnlySpan<byte> utf8)
    {
        output.Write("\""u8);
        int next;
        while ((next = utf8.IndexOfAny(MustEscape)) >= 0)
        {
            output.Write(utf8[..next]);
            WriteEscaped(output, utf8[next]);
            utf8 = utf8[(next + 1)..];
        }
        output.Write(utf8);
        output.Write("\""u8);
    }

    private static void WriteEscaped(IBufferWriter<byte> output, byte value)
    {
        Span<byte> target = output.GetSpan(6);
        target[0] = (byte)'\\';
        if (value is (byte)'"' or (byte)'\\')
        {
            target[1] = value;
            output.Advance(2);
            return;
        }
        "u00"u8.CopyTo(target[1..]);
        target[4] = (byte)(value < 0x10 ? '0' : '1');
        target[5] = "0123456789abcdef"u8[value & 0xF];
        output.Advance(6);
    }
}

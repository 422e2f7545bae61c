using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Statehouse.Agents.Model;

/// <summary>Draws the ids of transactions: UUIDs of version 7, in the order of their milliseconds, that nobody can guess.</summary>
/// <remarks>
/// As <see cref="Guid.CreateVersion7(DateTimeOffset)"/> makes them, which asks the system for 16 random bytes each time: a
/// call that costs as much as deciding a commit does. Source: RFC 9562, section 5.7.
/// </remarks>
internal static class TransactionIds
{
    private const int IdBytes = 16;
    private const int IdsPerDraw = 64;

    // Random bytes, of which the last t_left were not used yet. A thread's own: no two ids come from the same ones.
    [ThreadStatic]
    private static byte[]? t_random;

    [ThreadStatic]
    private static int t_left;

    public static Guid New(DateTimeOffset now)
    {
        Span<byte> id = Draw();
        // 48 bits of time, 4 of version, 12 random, 2 of variant, 62 random.
        BinaryPrimitives.WriteUInt64BigEndian(
            id, ((ulong)now.ToUnixTimeMilliseconds() << 16) | 0x7000 | (BinaryPrimitives.ReadUInt64BigEndian(id) & 0x0FFF));
        id[8] = (byte)(0x80 | (id[8] & 0x3F));
        return new Guid(id, bigEndian: true);
    }

    private static Span<byte> Draw()
    {
        byte[] random = t_random ??= new byte[IdBytes * IdsPerDraw];
        if (t_left == 0)
        {
            // Where this throws, nothing is left still: no id is made of bytes that were never drawn.
            RandomNumberGenerator.Fill(random);
            t_left = random.Length;
        }
        Span<byte> id = random.AsSpan(random.Length - t_left, IdBytes);
        t_left -= IdBytes;
        return id;
    }
}

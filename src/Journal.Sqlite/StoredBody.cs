using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Numerics;

namespace Statehouse.Journal.Sqlite;

/// <summary>
/// Bodies of commits and snapshots as their columns hold them: as they are, or compressed where that saves a quarter.
/// Nobody outside of this project sees the difference; hashes and checksums cover what was handed in.
/// </summary>
/// <remarks>
/// The first byte tells: 0x01 = the body's length (4 bytes, little-endian), then Brotli (RFC 7932); 0x00 = the rest is the
/// body; any other = it is the body's own, as in all rows from before 0004-compressed-bodies.sql. No JSON begins with
/// either. Measured in docs/decisions/0011-index-retention-compression.md.
/// </remarks>
internal static class StoredBody
{
    /// <summary>Shorter ones stay as they are: they share a page with others, and little is saved.</summary>
    private const int CompressedBytesMin = 1024;

    /// <summary>More than SQLite can hold in a row: a stored length above is damage.</summary>
    private const int BodyBytesMax = 1_000_000_000;

    /// <summary>A length up to this is believed; beyond it room is made for what does come, since a damaged length may say anything.</summary>
    private const int BelievedBytesMax = 8 * 1024 * 1024;

    /// <summary>A larger body's room is not kept for the next one: few are so large.</summary>
    private const int LentBytesMax = 1 << 20;

    private const byte AsItIs = 0;
    private const byte Compressed = 1;
    private const int HeaderBytes = 1 + sizeof(int);

    /// <summary>The lowest quality that looks for repetition at all: higher ones save a few percent for several times the time.</summary>
    private const int BrotliQuality = 1;
    private const int BrotliWindowMin = 10;
    private const int BrotliWindowMax = 22;

    /// <summary>What to store.</summary>
    public static ReadOnlyMemory<byte> Encode(ReadOnlyMemory<byte> body)
    {
        if (body.Length >= CompressedBytesMin && TryCompress(body.Span) is { } compressed)
            return compressed;
        return !body.IsEmpty && body.Span[0] is AsItIs or Compressed ? (byte[])[AsItIs, .. body.Span] : body;
    }

    /// <returns>False where what is stored is damaged, as far as can be told without a checksum.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> stored, [NotNullWhen(true)] out byte[]? body)
    {
        if (!stored.IsEmpty && stored[0] == Compressed)
            return TryDecompress(stored, out body);
        body = (!stored.IsEmpty && stored[0] == AsItIs ? stored[1..] : stored).ToArray();
        return true;
    }

    /// <returns>null where it would not save a quarter.</returns>
    private static ReadOnlyMemory<byte>? TryCompress(ReadOnlySpan<byte> body)
    {
        // Room for three quarters is only lent: what does not compress needs none of it, and the rest seldom all.
        int bytesMax = body.Length / 4 * 3;
        byte[] room = bytesMax <= LentBytesMax ? ArrayPool<byte>.Shared.Rent(bytesMax) : new byte[bytesMax];
        try
        {
            Span<byte> stored = room.AsSpan(0, bytesMax);
            int window = Math.Clamp(BitOperations.Log2((uint)body.Length) + 1, BrotliWindowMin, BrotliWindowMax);
            if (!BrotliEncoder.TryCompress(body, stored[HeaderBytes..], out int written, BrotliQuality, window))
                return null;
            stored[0] = Compressed;
            BinaryPrimitives.WriteInt32LittleEndian(stored[1..], body.Length);
            return stored[..(HeaderBytes + written)].ToArray();
        }
        finally
        {
            if (bytesMax <= LentBytesMax)
                ArrayPool<byte>.Shared.Return(room);
        }
    }

    private static bool TryDecompress(ReadOnlySpan<byte> stored, [NotNullWhen(true)] out byte[]? body)
    {
        body = null;
        if (stored.Length < HeaderBytes)
            return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(stored[1..]);
        if (length is < CompressedBytesMin or > BodyBytesMax)
            return false;
        using var decoder = new BrotliDecoder();
        ReadOnlySpan<byte> source = stored[HeaderBytes..];
        byte[] target = new byte[Math.Min(length, BelievedBytesMax)];
        int filled = 0;
        while (true)
        {
            OperationStatus status = decoder.Decompress(source, target.AsSpan(filled), out int consumed, out int written);
            source = source[consumed..];
            filled += written;
            if (status == OperationStatus.DestinationTooSmall && filled == target.Length && filled < length)
                Array.Resize(ref target, (int)Math.Min(length, 2L * filled));
            else if (status != OperationStatus.Done || filled != length)
                return false;
            else
                break;
        }
        body = target;
        return true;
    }
}

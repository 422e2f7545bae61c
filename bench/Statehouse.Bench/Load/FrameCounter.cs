using System.Buffers.Binary;

namespace Statehouse.Bench.Load;

/// <summary>Walks over gRPC frames without looking into their messages.</summary>
internal static class FrameCounter
{
    public static long Count(Stream body)
    {
        byte[] buffer = new byte[256 * 1024];
        Span<byte> prefix = stackalloc byte[5];
        int prefixFilled = 0;
        long messageLeft = 0;
        long count = 0;
        int read;
        while ((read = body.Read(buffer)) > 0)
        {
            ReadOnlySpan<byte> rest = buffer.AsSpan(0, read);
            while (!rest.IsEmpty)
            {
                int part = (int)Math.Min(rest.Length, messageLeft > 0 ? messageLeft : prefix.Length - prefixFilled);
                if (messageLeft > 0)
                {
                    messageLeft -= part;
                }
                else
                {
                    rest[..part].CopyTo(prefix[prefixFilled..]);
                    prefixFilled += part;
                }
                rest = rest[part..];
                if (prefixFilled == prefix.Length)
                {
                    messageLeft = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
                    prefixFilled = 0;
                    count++;
                }
            }
        }
        return count;
    }
}

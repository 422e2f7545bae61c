using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Statehouse.Testing;

/// <summary>
/// The hash chain as docs/data-layout.md defines it, written from that page and not from the server's code: what an
/// auditor would write who has nothing but the API.
/// </summary>
public static class HashChain
{
    /// <returns>hash(0), lower-case hexadecimal.</returns>
    public static string Genesis(byte kind, string @namespace, string agent) =>
        Hash([.. "statehouse.v1"u8, 0, kind, .. WithLength(@namespace), .. WithLength(agent)]);

    /// <param name="previous">hash(n-1), hexadecimal.</param>
    /// <param name="version">n.</param>
    /// <param name="time">As on the wire: RFC 3339 with six decimals.</param>
    /// <param name="txnId">As on the wire.</param>
    /// <param name="body">The commit's body as it stands on the wire.</param>
    /// <returns>hash(n), lower-case hexadecimal.</returns>
    public static string Next(string previous, long version, string time, string txnId, string body) =>
        Hash([
            .. Convert.FromHexString(previous),
            .. BigEndian(version),
            .. BigEndian(Microseconds(time)),
            .. Guid.Parse(txnId).ToByteArray(bigEndian: true),
            .. Encoding.UTF8.GetBytes(body),
        ]);

    public static long Microseconds(string time) =>
        (DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture) - DateTimeOffset.UnixEpoch).Ticks
        / TimeSpan.TicksPerMicrosecond;

    private static string Hash(byte[] input) => Convert.ToHexStringLower(SHA256.HashData(input));

    private static byte[] WithLength(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return [.. BigEndian((long)utf8.Length)[4..], .. utf8];
    }

    private static byte[] BigEndian(long value)
    {
        byte[] bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Statehouse.Agents.Model;

/// <summary>SHA-256 of a value's bytes.</summary>
public readonly record struct ValueDigest(UInt128 High, UInt128 Low)
{
    private const int Size = 32;

    public static ValueDigest Of(ReadOnlySpan<byte> value)
    {
        Span<byte> digest = stackalloc byte[Size];
        SHA256.HashData(value, digest);
        return FromBytes(digest);
    }

    /// <param name="hex">64 lower-case hexadecimal digits, as UTF-8.</param>
    /// <exception cref="FormatException">It is not that.</exception>
    public static ValueDigest Parse(ReadOnlySpan<byte> hex)
    {
        Span<byte> digest = stackalloc byte[Size];
        if (hex.Length != 2 * Size || hex.ContainsAnyInRange((byte)'A', (byte)'F') ||
            Convert.FromHexString(hex, digest, out _, out int written) != System.Buffers.OperationStatus.Done || written != Size)
        {
            throw new FormatException("A value's digest is not 64 lower-case hexadecimal digits.");
        }
        return FromBytes(digest);
    }

    /// <param name="target">At least 32 bytes.</param>
    public void CopyTo(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt128BigEndian(target, High);
        BinaryPrimitives.WriteUInt128BigEndian(target[16..], Low);
    }

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private static ValueDigest FromBytes(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]));
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Statehouse.Agents.Model;

/// <summary>
/// Tells whether a repeated idempotency key asks for the same: SHA-256 over operations (kind, key, value text) and
/// metadata. Preconditions do not count: they said when the first commit might happen, not what it did.
/// </summary>
/// <remarks>
/// Derived from what is journaled, so that a fold of the journal remembers exactly what the live state does. In the place of
/// a detached value stands its digest, which is known also when the value was dropped.
/// </remarks>
public readonly record struct ContentDigest(UInt128 High, UInt128 Low)
{
    // Beside the numbers of OperationKind: a digest follows, not the value.
    private const byte DetachedPut = 0x80 | (byte)OperationKind.Put;

    public static ContentDigest Of(ImmutableArray<Operation> operations, JsonText metadata)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Operation operation in operations)
        {
            if (operation is { Kind: OperationKind.Put, IsDetached: true })
                AppendDetached(sha, operation.Key, operation.Value.Length, ValueDigest.Of(operation.Value.Utf8));
            else
                Append(sha, operation.Kind, operation.Key, operation.Value);
        }
        return Finish(sha, metadata);
    }

    public static ContentDigest Of(ImmutableArray<AppliedOperation> operations, JsonText metadata)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (AppliedOperation operation in operations)
        {
            if (operation.Detached is { } value)
                AppendDetached(sha, operation.Key, value.Bytes, value.Digest);
            else
                Append(sha, operation.Kind, operation.Key, operation.Value);
        }
        return Finish(sha, metadata);
    }

    public static ContentDigest FromBytes(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]));

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[32];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[16..], Low);
        return Convert.ToHexStringLower(bytes);
    }

    private static void Append(IncrementalHash sha, OperationKind kind, Key key, JsonText value)
    {
        AppendHeader(sha, (byte)kind, key, value.Length);
        sha.AppendData(value.Utf8);
    }

    private static void AppendDetached(IncrementalHash sha, Key key, int valueBytes, ValueDigest digest)
    {
        AppendHeader(sha, DetachedPut, key, valueBytes);
        Span<byte> bytes = stackalloc byte[32];
        digest.CopyTo(bytes);
        sha.AppendData(bytes);
    }

    private static void AppendHeader(IncrementalHash sha, byte kind, Key key, int valueBytes)
    {
        Span<byte> header = stackalloc byte[9];
        header[0] = kind;
        BinaryPrimitives.WriteInt32BigEndian(header[1..], key.Length);
        BinaryPrimitives.WriteInt32BigEndian(header[5..], valueBytes);
        sha.AppendData(header);
        sha.AppendData(key.Utf8);
    }

    private static ContentDigest Finish(IncrementalHash sha, JsonText metadata)
    {
        sha.AppendData(metadata.Utf8);
        Span<byte> digest = stackalloc byte[32];
        sha.GetHashAndReset(digest);
        return FromBytes(digest);
    }
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Statehouse.Agents.Model;

/// <summary>
/// Tells whether a repeated idempotency key asks for the same: SHA-256 over operations (kind, key, value text) and
/// metadata. Preconditions do not count: they said when the first commit might happen, not what it did.
/// </summary>
/// <remarks>Derived from what is journaled, so that a fold of the journal remembers exactly what the live state does.</remarks>
public readonly record struct ContentDigest(UInt128 High, UInt128 Low)
{
    public static ContentDigest Of(ImmutableArray<Operation> operations, JsonText metadata)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Operation operation in operations)
            Append(sha, operation.Kind, operation.Key, operation.Value);
        return Finish(sha, metadata);
    }

    public static ContentDigest Of(ImmutableArray<AppliedOperation> operations, JsonText metadata)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (AppliedOperation operation in operations)
            Append(sha, operation.Kind, operation.Key, operation.Value);
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
        Span<byte> lengths = stackalloc byte[9];
        lengths[0] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(lengths[1..], key.Length);
        BinaryPrimitives.WriteInt32BigEndian(lengths[5..], value.Length);
        sha.AppendData(lengths);
        sha.AppendData(key.Utf8);
        sha.AppendData(value.Utf8);
    }

    private static ContentDigest Finish(IncrementalHash sha, JsonText metadata)
    {
        sha.AppendData(metadata.Utf8);
        Span<byte> digest = stackalloc byte[32];
        sha.GetHashAndReset(digest);
        return FromBytes(digest);
    }
}

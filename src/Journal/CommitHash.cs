using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Statehouse.Journal;

/// <summary>
/// The SHA-256 link of one commit to the one before it (I11), and at once the fence (I4): an append names the hash
/// that its decision was made on, so it can only ever land on exactly that history.
/// </summary>
/// <remarks>
/// hash(0) = SHA-256("statehouse.v1" ‖ 0x00 ‖ kind:u8 ‖ len:u32 ‖ namespace ‖ len:u32 ‖ agent id), so that no chain
/// can be passed off as another agent's.
/// hash(n) = SHA-256(hash(n-1) ‖ version:i64 ‖ time_us:i64 ‖ txn_id:16 bytes ‖ canonical body). Integers are
/// big-endian, the txn id is in RFC 4122 byte order; the canonical body is the body without its detail
/// (<see cref="CommitBody.CanonicalLength"/>). commit_ts is not covered: the store assigns it while the rows go in, after
/// the hash was made; a verifier checks that it grows.
/// Source: docs/decisions/0002-what-the-hash-covers.md.
/// </remarks>
[InlineArray(Size)]
public struct CommitHash : IEquatable<CommitHash>
{
    public const int Size = 32;

    private byte _first;

    /// <summary>hash(0): what the first commit of <paramref name="agent"/> chains on.</summary>
    public static CommitHash Genesis(AgentId agent)
    {
        int namespaceBytes = Encoding.UTF8.GetByteCount(agent.Namespace);
        int nameBytes = Encoding.UTF8.GetByteCount(agent.Name);
        ReadOnlySpan<byte> prefix = "statehouse.v1\0"u8;
        byte[] input = new byte[prefix.Length + 1 + 4 + namespaceBytes + 4 + nameBytes];
        Span<byte> rest = input;
        prefix.CopyTo(rest);
        rest = rest[prefix.Length..];
        rest[0] = (byte)agent.Kind;
        rest = rest[1..];
        BinaryPrimitives.WriteInt32BigEndian(rest, namespaceBytes);
        Encoding.UTF8.GetBytes(agent.Namespace, rest[4..]);
        rest = rest[(4 + namespaceBytes)..];
        BinaryPrimitives.WriteInt32BigEndian(rest, nameBytes);
        Encoding.UTF8.GetBytes(agent.Name, rest[4..]);

        CommitHash hash = default;
        SHA256.HashData(input, hash.AsWritable());
        return hash;
    }

    /// <summary>
    /// hash(n) from hash(n-1) and what commit n holds. Of <paramref name="body"/> only the canonical part is covered, so
    /// a commit has the same hash before and after its detail was cut.
    /// </summary>
    public static CommitHash Chain(
        in CommitHash previous, AgentVersion version, CommitTime time, Guid txnId, ReadOnlySpan<byte> body)
    {
        Span<byte> header = stackalloc byte[Size + 8 + 8 + 16];
        previous.AsSpan().CopyTo(header);
        BinaryPrimitives.WriteInt64BigEndian(header[Size..], version.Value);
        BinaryPrimitives.WriteInt64BigEndian(header[(Size + 8)..], time.UnixMicroseconds);
        txnId.TryWriteBytes(header[(Size + 16)..], bigEndian: true, out _);

        CommitHash hash = default;
        IncrementalHash sha = t_sha ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(header);
        sha.AppendData(body[..CommitBody.CanonicalLength(body)]);
        sha.GetHashAndReset(hash.AsWritable());
        return hash;
    }

    public static CommitHash FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
            throw new ArgumentException($"A commit hash has {Size} bytes; this has {bytes.Length}.", nameof(bytes));
        CommitHash hash = default;
        bytes.CopyTo(hash.AsWritable());
        return hash;
    }

    [UnscopedRef]
    public readonly ReadOnlySpan<byte> AsSpan() => MemoryMarshal.CreateReadOnlySpan(in _first, Size);

    public readonly byte[] ToArray() => AsSpan().ToArray();

    public readonly bool Equals(CommitHash other) => AsSpan().SequenceEqual(other.AsSpan());

    public override readonly bool Equals(object? obj) => obj is CommitHash other && Equals(other);

    public override readonly int GetHashCode() => BinaryPrimitives.ReadInt32LittleEndian(AsSpan());

    public static bool operator ==(in CommitHash left, in CommitHash right) => left.Equals(right);

    public static bool operator !=(in CommitHash left, in CommitHash right) => !left.Equals(right);

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override readonly string ToString() => Convert.ToHexStringLower(AsSpan());

    [UnscopedRef]
    private Span<byte> AsWritable() => MemoryMarshal.CreateSpan(ref _first, Size);

    // One hasher a thread: creating one costs more than hashing a typical commit.
    [ThreadStatic]
    private static IncrementalHash? t_sha;
}

using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Statehouse.Cli;

/// <summary>
/// Recomputes an agent's hash chain (I11), commit after commit, from nothing but what the commits say. Also checks what
/// hangs on it: versions without gap, commit_ts that grows, time that does not go back (I3).
/// </summary>
/// <remarks>Source: docs/data-layout.md, "Hash chain".</remarks>
internal sealed class ChainCheck
{
    private const byte PlainAgent = 0;
    private const int HashBytes = 32;

    private readonly IncrementalHash _sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>What the next commit chains on; null where history was trimmed and no commit was seen yet.</summary>
    private byte[]? _previous;

    private long _commitTs;
    private long _time = long.MinValue;

    /// <param name="namespace">The agent's.</param>
    /// <param name="agent">Whose chain.</param>
    /// <param name="firstVersion">The oldest commit still kept. Beyond 1, its own hash has to be taken on trust.</param>
    public ChainCheck(string @namespace, string agent, long firstVersion)
    {
        Next = firstVersion;
        _previous = firstVersion == 1 ? Genesis(@namespace, agent) : null;
    }

    /// <summary>The version that must come next.</summary>
    public long Next { get; private set; }

    /// <summary>How many commits were taken in.</summary>
    public long Count { get; private set; }

    /// <summary>Of the last commit, or of the chain's start; 64 hexadecimal digits.</summary>
    public string Hash => _previous is null ? "" : Convert.ToHexStringLower(_previous);

    /// <summary>Takes the next commit in.</summary>
    /// <returns>What is wrong with it; null where it holds. After a fault the check is over.</returns>
    public string? Fault(CommitText commit)
    {
        if (commit.Version != Next)
            return string.Create(CultureInfo.InvariantCulture, $"version {Next} is missing: {commit.Version} comes instead");
        if (commit.CommitTs <= _commitTs)
            return string.Create(CultureInfo.InvariantCulture, $"its commit_ts {commit.CommitTs} is not above {_commitTs} of the commit before");
        long time = commit.TimeMicroseconds;
        if (time < _time)
            return $"its time {commit.Time} is before that of the commit before";
        if (_previous is not null && HashOf(commit, _previous, time) is var hash && hash != commit.Hash)
            return $"its hash is {commit.Hash}, but what it holds makes {hash}";
        if (!TryParse(commit.Hash, out _previous))
            return $"its hash is not 64 hexadecimal digits: {commit.Hash}";
        _commitTs = commit.CommitTs;
        _time = time;
        Next++;
        Count++;
        return null;
    }

    private static byte[] Genesis(string @namespace, string agent) =>
        SHA256.HashData([.. "statehouse.v1\0"u8, PlainAgent, .. WithLength(@namespace), .. WithLength(agent)]);

    private static byte[] WithLength(string text)
    {
        byte[] bytes = new byte[sizeof(int) + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length - sizeof(int));
        Encoding.UTF8.GetBytes(text, bytes.AsSpan(sizeof(int)));
        return bytes;
    }

    private string HashOf(CommitText commit, byte[] previous, long time)
    {
        Span<byte> numbers = stackalloc byte[8 + 8 + 16];
        BinaryPrimitives.WriteInt64BigEndian(numbers, commit.Version);
        BinaryPrimitives.WriteInt64BigEndian(numbers[8..], time);
        if (!Guid.TryParseExact(commit.TxnId, "D", out Guid txnId))
            return "nothing, since its txn_id is no id";
        txnId.TryWriteBytes(numbers[16..], bigEndian: true, out _);
        _sha.AppendData(previous);
        _sha.AppendData(numbers);
        AppendBody(commit);
        return Convert.ToHexStringLower(_sha.GetHashAndReset());
    }

    /// <summary>The body as the journal keeps it: the members' own text, and nothing between them.</summary>
    private void AppendBody(CommitText commit)
    {
        _sha.AppendData("{\"operations\":"u8);
        _sha.AppendData(commit.Operations.Span);
        if (!commit.IdempotencyKey.IsEmpty)
        {
            _sha.AppendData(",\"idempotency_key\":"u8);
            _sha.AppendData(commit.IdempotencyKey.Span);
        }
        if (!commit.Metadata.IsEmpty)
        {
            _sha.AppendData(",\"metadata\":"u8);
            _sha.AppendData(commit.Metadata.Span);
        }
        _sha.AppendData("}"u8);
    }

    private static bool TryParse(string text, out byte[]? hash)
    {
        byte[] bytes = new byte[HashBytes];
        bool isHash = text.Length == HashBytes * 2
            && Convert.FromHexString(text, bytes, out _, out _) == System.Buffers.OperationStatus.Done;
        hash = isHash ? bytes : null;
        return isHash;
    }
}

namespace Statehouse.Agents;

/// <summary>
/// All limits, each overridable (<c>limits.*</c> in statehouse.json, <c>--limit name=value</c>), each named in the
/// error that it causes. The arithmetic that ties them: a commit must hold one largest value with its largest key
/// and metadata (1 MiB + 1 KiB + 16 KiB &lt; 8 MiB), and the state of an agent at least one commit.
/// </summary>
public sealed record Limits
{
    public static readonly Limits Default = new();

    /// <summary>Bytes of UTF-8 in a namespace.</summary>
    public int NamespaceBytesMax { get; init; } = 128;

    /// <summary>Bytes of UTF-8 in an agent id.</summary>
    public int AgentIdBytesMax { get; init; } = 512;

    /// <summary>Bytes of UTF-8 in a key.</summary>
    public int KeyBytesMax { get; init; } = 1024;

    /// <summary>Bytes of one value's JSON text.</summary>
    public int ValueBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Bytes of a commit's metadata as JSON text.</summary>
    public int MetadataBytesMax { get; init; } = 16 * 1024;

    /// <summary>Bytes of UTF-8 in an idempotency key.</summary>
    public int IdempotencyKeyBytesMax { get; init; } = 256;

    /// <summary>Operations in one commit, and in one transaction over all its agents.</summary>
    public int OperationsPerCommitMax { get; init; } = 1000;

    /// <summary>Bytes of one commit: keys, values and metadata, and of a request body that carries it.</summary>
    public int CommitBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// Bytes of request bodies that one protocol (HTTP, gRPC) of a process holds at once, those of at most 16 KiB not counted;
    /// more get SH-2003. There is always room for one body of <see cref="CommitBytesMax"/>. A request takes about three times
    /// its body while it is answered.
    /// </summary>
    public long RequestBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>Bytes of one agent's state: live keys and values, and the keys of tombstones.</summary>
    public long StateBytesMax { get; init; } = 256L * 1024 * 1024;

    /// <summary>Levels of nesting in a value or in metadata.</summary>
    public int JsonDepthMax { get; init; } = 64;

    /// <summary>Items of one page.</summary>
    public int PageMax { get; init; } = 1000;

    /// <summary>Items of a page that does not say.</summary>
    public int PageDefault { get; init; } = 100;

    /// <summary>Idempotency keys remembered per agent; older ones are forgotten.</summary>
    public int IdempotencyKeysMax { get; init; } = 1000;

    /// <summary>Interactive transactions open at once in one process.</summary>
    public int OpenTransactionsMax { get; init; } = 10_000;

    /// <summary>Bytes staged in all open transactions of one process.</summary>
    public long StagedBytesMax { get; init; } = 256L * 1024 * 1024;

    /// <summary>How long a transaction stays open that does not say.</summary>
    public TimeSpan TransactionTimeoutDefault { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest timeout that a transaction may ask for; the shortest is 1 ms.</summary>
    public TimeSpan TransactionTimeoutMax { get; init; } = TimeSpan.FromMinutes(10);
}

namespace Statehouse.Faults.History;

/// <summary>What a client was told, where the call was answered with success.</summary>
public abstract record Answer;

/// <param name="Exists">False for a tombstone and for what was never written.</param>
/// <param name="Value">JSON text; null where it does not exist. Over gRPC numbers are doubles: write only what a double holds.</param>
/// <param name="KeyVersion">0 = was never written.</param>
/// <param name="AgentVersion">The version that was read; 0 where the protocol does not tell.</param>
/// <param name="CommitTs">Of the commit that wrote the key; 0 = was never written, or a tombstone where the protocol does not tell (HTTP).</param>
public sealed record ReadAnswer(bool Exists, string? Value, long KeyVersion, long AgentVersion, long CommitTs) : Answer;

/// <param name="AgentVersion">The version that was read; 0 where the protocol does not tell.</param>
/// <param name="Items">In byte order of the keys.</param>
public sealed record ScanAnswer(long AgentVersion, IReadOnlyList<ScannedKey> Items) : Answer;

public sealed record ScannedKey(string Key, string Value, long KeyVersion);

/// <param name="Receipts">One for each share, in their order.</param>
public sealed record CommitAnswer(IReadOnlyList<Receipt> Receipts) : Answer;

/// <param name="Reads">What the transaction's reads answered, in order.</param>
/// <param name="Shares">What it then committed; empty = it was aborted.</param>
/// <param name="Receipts">One for each share; empty where it was aborted.</param>
public sealed record TransactionAnswer(
    IReadOnlyList<ReadAnswer> Reads, IReadOnlyList<Share> Shares, IReadOnlyList<Receipt> Receipts) : Answer;

/// <param name="Agent">Whose.</param>
/// <param name="Version">0 where the protocol does not tell.</param>
/// <param name="CommitTs">Always told.</param>
/// <param name="TxnId">As on the wire; empty where the protocol does not tell.</param>
/// <param name="Hash">Lower-case hexadecimal; empty where the protocol does not tell.</param>
/// <param name="IsReplayed">An earlier attempt of the same idempotency key had been committed.</param>
public sealed record Receipt(AgentName Agent, long Version, long CommitTs, string TxnId, string Hash, bool IsReplayed);

using System.Text.Json;

namespace Statehouse.Client;

/// <summary>A state that was saved.</summary>
/// <remarks>
/// State: the JSON text as it was written: <see cref="JsonElement.GetRawText"/>.
/// </remarks>
public sealed record Checkpoint(
    string ExecutionId, long Step, long Version, long CommitTs, DateTimeOffset Time, string Hash, JsonElement State)
{
    /// <exception cref="JsonException">The state is not of that shape.</exception>
    public T? StateAs<T>(JsonSerializerOptions? options = null) => State.Deserialize<T>(options);
}

/// <summary>What a durable checkpoint returns.</summary>
/// <remarks>
/// Replayed: the same checkpoint was there already; nothing was written now.
/// </remarks>
public sealed record CheckpointReceipt(
    string ExecutionId,
    long Step,
    long Version,
    long CommitTs,
    DateTimeOffset Time,
    Guid TxnId,
    string Hash,
    ExecutionStatus Status,
    bool Durable,
    DateTimeOffset? LeaseUntil = null,
    bool Replayed = false);

/// <summary>A checkpoint in a history.</summary>
/// <remarks>
/// Sha256: of the state's JSON text, hexadecimal.
/// Restorable: false where the state was thinned.
/// State: undefined unless it was asked for and is restorable.
/// </remarks>
public sealed record CheckpointEntry(
    long Step,
    long Version,
    long CommitTs,
    DateTimeOffset Time,
    Guid TxnId,
    string Hash,
    long StateBytes,
    string Sha256,
    bool Restorable,
    JsonElement State = default);

/// <summary>A checkpoint with a name, which is never thinned.</summary>
/// <remarks>
/// State: undefined in a list.
/// </remarks>
public sealed record Snapshot(string Name, long Step, long Version, DateTimeOffset Time, long StateBytes, JsonElement State = default);

/// <summary>One checkpoint of several that are committed together.</summary>
/// <remarks>
/// State: serialised as JSON.
/// Token: of the claim, where the execution was claimed.
/// </remarks>
public sealed record StagedCheckpoint(string ExecutionId, long Step, object? State, long? Token = null);

/// <summary>What several checkpoints committed together return: one commit_ts for all.</summary>
public sealed record TogetherReceipt(long CommitTs, Guid TxnId, IReadOnlyList<CheckpointReceipt> Checkpoints);

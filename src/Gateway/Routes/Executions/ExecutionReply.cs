using System.Buffers;
using Statehouse.Executions;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>Executions and checkpoints in HTTP v1's JSON. Schemas of the same names stand in <c>OpenApi/openapi.json</c>.</summary>
internal static class ExecutionReply
{
    /// <summary>An <c>Execution</c>, open: the caller may add members, and closes it.</summary>
    public static JsonBuffer Open(JsonBuffer json, ExecutionDetail detail)
    {
        ExecutionView view = detail.View;
        var members = new ArrayBufferWriter<byte>(512);
        ExecutionJson.Members(members, view);
        ExecutionJson.Settings(members, view.Run.Settings);
        return json.Raw("{\"execution_id\":"u8).String(view.Agent.Name).Raw(","u8).Raw(members.WrittenSpan)
            .Raw(",\"result\":"u8).Raw(detail.Result.IsAbsent ? "null"u8 : detail.Result.Utf8)
            .Raw(",\"updated_at\":"u8).Time(view.Time)
            .Raw(",\"version\":"u8).Number(view.Version.Value)
            .Raw(",\"commit_ts\":"u8).Number(view.CommitTs.Value)
            .Raw(",\"hash\":"u8).Hash(detail.Hash);
    }

    /// <summary>An <c>ExecutionListItem</c>: what the index keeps, as it stands there.</summary>
    public static void Item(JsonBuffer json, IndexedAgent item) =>
        json.Raw("{\"execution_id\":"u8).String(item.Agent.Name).Raw(","u8)
            .Raw(item.Row.Summary.Span[1..^1])
            .Raw(",\"updated_at\":"u8).Time(item.UpdatedAt)
            .Raw(",\"version\":"u8).Number(item.Version.Value).Raw("}"u8);

    /// <summary>A <c>CheckpointReceipt</c>.</summary>
    public static void Receipt(JsonBuffer json, long step, Written written)
    {
        ExecutionView view = written.View;
        json.Raw("{\"execution_id\":"u8).String(view.Agent.Name)
            .Raw(",\"step\":"u8).Number(step)
            .Raw(",\"version\":"u8).Number(written.Version.Value)
            .Raw(",\"commit_ts\":"u8).Number(written.CommitTs.Value)
            .Raw(",\"time\":"u8).Time(written.Time)
            .Raw(",\"txn_id\":"u8).Uuid(written.TxnId)
            .Raw(",\"hash\":"u8).Hash(written.Hash)
            .Raw(",\"status\":"u8).String(view.Run.Status.Text())
            .Raw(",\"durable\":true"u8);
        if (view.DueAt is { } until)
            json.Raw(",\"lease_until\":"u8).Time(until);
        else
            json.Raw(",\"lease_until\":null"u8);
        if (written.Replayed)
            json.Raw(",\"replayed\":true"u8);
        json.Raw("}"u8);
    }

    /// <summary>A <c>Checkpoint</c> of a history.</summary>
    public static void Checkpoint(JsonBuffer json, Checkpoint checkpoint)
    {
        JournalCommit commit = checkpoint.Commit;
        json.Raw("{\"step\":"u8).Number(checkpoint.Step)
            .Raw(",\"version\":"u8).Number(commit.Version.Value)
            .Raw(",\"commit_ts\":"u8).Number(commit.CommitTs.Value)
            .Raw(",\"time\":"u8).Time(commit.Time)
            .Raw(",\"txn_id\":"u8).Uuid(commit.TxnId)
            .Raw(",\"hash\":"u8).Hash(commit.Hash)
            .Raw(",\"state_bytes\":"u8).Number(checkpoint.StateBytes)
            .Raw(",\"sha256\":"u8).String(checkpoint.Sha256)
            .Raw(",\"restorable\":"u8).Bool(checkpoint.Restorable);
        if (!checkpoint.State.IsAbsent)
            json.Raw(",\"state\":"u8).Raw(checkpoint.State.Utf8);
        json.Raw("}"u8);
    }

    /// <summary>A <c>LoadedCheckpoint</c>.</summary>
    public static void Loaded(JsonBuffer json, string executionId, LoadedCheckpoint loaded) =>
        json.Raw("{\"execution_id\":"u8).String(executionId)
            .Raw(",\"step\":"u8).Number(loaded.Step)
            .Raw(",\"version\":"u8).Number(loaded.Commit.Version.Value)
            .Raw(",\"commit_ts\":"u8).Number(loaded.Commit.CommitTs.Value)
            .Raw(",\"time\":"u8).Time(loaded.Commit.Time)
            .Raw(",\"hash\":"u8).Hash(loaded.Commit.Hash)
            .Raw(",\"state\":"u8).Raw(loaded.State.Utf8).Raw("}"u8);

    public static void Lease(JsonBuffer json, ExecutionView view)
    {
        var lease = new ArrayBufferWriter<byte>(128);
        ExecutionJson.Lease(lease, view);
        json.Raw("{\"lease\":"u8).Raw(lease.WrittenSpan).Raw("}"u8);
    }
}

using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Gateway;

/// <summary>The contract's records in HTTP v1's JSON. Schemas of the same names stand in <c>OpenApi/openapi.json</c>.</summary>
internal static class WireJson
{
    /// <summary>A <c>Commit</c>: our header members, then the members of the stored body as they stand.</summary>
    public static void Commit(JsonBuffer json, JournalCommit commit)
    {
        json.Raw("{"u8);
        CommitMembers(json, commit);
    }

    /// <summary>A <c>FeedItem</c>: a commit with the agent that it belongs to.</summary>
    public static void FeedItem(JsonBuffer json, FeedCommit item)
    {
        json.Raw("{\"namespace\":"u8).String(item.Agent.Namespace).Raw(",\"agent\":"u8).String(item.Agent.Name).Raw(","u8);
        CommitMembers(json, item.Commit);
    }

    /// <summary>A <c>Receipt</c>.</summary>
    public static void Receipt(JsonBuffer json, CommitReceipt receipt)
    {
        json.Raw("{"u8);
        ReceiptMembers(json, receipt);
        json.Raw("}"u8);
    }

    /// <summary>A <c>KeyReceipt</c>: the receipt of a one-operation commit, with what became of its key.</summary>
    public static void KeyReceipt(JsonBuffer json, Key key, CommitReceipt receipt)
    {
        json.Raw("{\"key\":"u8).String(key.Utf8);
        if (KeyVersionOf(receipt) is { } version)
            json.Raw(",\"key_version\":"u8).Number(version.Value);
        json.Raw(","u8);
        ReceiptMembers(json, receipt);
        json.Raw("}"u8);
    }

    /// <summary>An <c>AgentReceipt</c>.</summary>
    public static void AgentReceipt(JsonBuffer json, AgentId agent, CommitReceipt receipt)
    {
        json.Raw("{\"namespace\":"u8).String(agent.Namespace).Raw(",\"agent\":"u8).String(agent.Name).Raw(","u8);
        ReceiptMembers(json, receipt);
        json.Raw("}"u8);
    }

    /// <summary>A <c>KeyState</c>; for keys that exist.</summary>
    public static void KeyState(JsonBuffer json, KeyState state)
    {
        json.Raw("{\"key\":"u8).String(state.Key.Utf8).Raw(",\"exists\":"u8).Bool(state.Exists);
        if (!state.Value.IsAbsent)
            json.Raw(",\"value\":"u8).Raw(state.Value.Utf8);
        json.Raw(",\"version\":"u8).Number(state.Version.Value);
        // What a transaction has staged was not committed yet: it has no place in the feed and no time.
        if (state.CommitTs > CommitTs.None)
            json.Raw(",\"commit_ts\":"u8).Number(state.CommitTs.Value).Raw(",\"time\":"u8).Time(state.Time);
        json.Raw(",\"agent_version\":"u8).Number(state.AgentVersion.Value).Raw("}"u8);
    }

    /// <summary>An <c>AgentHead</c>.</summary>
    public static void Head(JsonBuffer json, AgentId agent, AgentHead head)
    {
        json.Raw("{\"namespace\":"u8).String(agent.Namespace).Raw(",\"agent\":"u8).String(agent.Name)
            .Raw(",\"version\":"u8).Number(head.Version.Value)
            .Raw(",\"commit_ts\":"u8).Number(head.CommitTs.Value)
            .Raw(",\"time\":"u8).Time(head.Time)
            .Raw(",\"hash\":"u8).Hash(head.Hash)
            .Raw(",\"first_version\":"u8).Number(head.FirstVersion.Value)
            .Raw(",\"key_count\":"u8).Number(head.KeyCount)
            .Raw(",\"bytes\":"u8).Number(head.Bytes).Raw("}"u8);
    }

    /// <summary>An <c>AgentListItem</c>.</summary>
    public static void AgentListItem(JsonBuffer json, JournalHead head)
    {
        json.Raw("{\"namespace\":"u8).String(head.Agent.Namespace).Raw(",\"agent\":"u8).String(head.Agent.Name)
            .Raw(",\"version\":"u8).Number(head.Version.Value)
            .Raw(",\"commit_ts\":"u8).Number(head.CommitTs.Value)
            .Raw(",\"time\":"u8).Time(head.Time)
            .Raw(",\"hash\":"u8).Hash(head.Hash).Raw("}"u8);
    }

    /// <summary>The key version that a one-operation commit made; null on an old repeat, where it is no longer known.</summary>
    public static KeyVersion? KeyVersionOf(CommitReceipt receipt) =>
        receipt.KeyVersions.IsDefaultOrEmpty ? null : receipt.KeyVersions[0];

    private static void CommitMembers(JsonBuffer json, JournalCommit commit)
    {
        HeaderMembers(json, commit.Version, commit.CommitTs, commit.Time, commit.TxnId, commit.Hash);
        json.Raw(","u8).Raw(commit.Body.Span[1..]);
    }

    private static void ReceiptMembers(JsonBuffer json, CommitReceipt receipt)
    {
        HeaderMembers(json, receipt.Version, receipt.CommitTs, receipt.Time, receipt.TxnId, receipt.Hash);
        if (receipt.IdempotencyKey is { } idempotencyKey)
            json.Raw(",\"idempotency_key\":"u8).String(idempotencyKey);
        if (!receipt.Metadata.IsAbsent)
            json.Raw(",\"metadata\":"u8).Raw(receipt.Metadata.Utf8);
    }

    private static void HeaderMembers(
        JsonBuffer json, AgentVersion version, CommitTs commitTs, CommitTime time, Guid txnId, in CommitHash hash) =>
        json.Raw("\"version\":"u8).Number(version.Value)
            .Raw(",\"commit_ts\":"u8).Number(commitTs.Value)
            .Raw(",\"time\":"u8).Time(time)
            .Raw(",\"txn_id\":"u8).Uuid(txnId)
            .Raw(",\"hash\":"u8).Hash(hash);
}

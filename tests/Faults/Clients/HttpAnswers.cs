using System.Text.Json;
using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Clients;

/// <summary>Replies of HTTP v1 as answers. Members that the API promises and that are not there are the harness's own exception: a reply that is not well-formed must not pass.</summary>
internal static class HttpAnswers
{
    /// <summary>Whether a reply answers a read: with the key, or with what is known of its absence.</summary>
    public static bool TryRead(HttpReply reply, out ReadAnswer answer)
    {
        if (reply.IsOk)
        {
            answer = Present(reply.Json);
            return true;
        }
        if (reply.Status == 404 && reply.Json.ValueKind == JsonValueKind.Object
            && reply.Json.TryGetProperty("exists", out JsonElement exists) && !exists.GetBoolean())
        {
            answer = new ReadAnswer(false, null, Number(reply.Json, "version"), Number(reply.Json, "agent_version"), 0);
            return true;
        }
        answer = null!;
        return false;
    }

    public static IEnumerable<ScannedKey> Items(JsonElement page) =>
        page.GetProperty("items").EnumerateArray().Select(item =>
            new ScannedKey(Text(item, "key"), item.GetProperty("value").GetRawText(), Number(item, "version")));

    /// <summary>Of an item of <c>GET /v1/feed</c>, and of an event of it.</summary>
    public static FeedEntry FeedEntry(JsonElement item) => new(
        new AgentName(Text(item, "namespace"), Text(item, "agent")), Number(item, "version"), Number(item, "commit_ts"), Text(item, "hash"));

    /// <summary>Of <c>POST …/commits</c> on one agent.</summary>
    public static Receipt Receipt(JsonElement receipt, AgentName agent, bool isReplayed) =>
        new(agent, Number(receipt, "version"), Number(receipt, "commit_ts"), Text(receipt, "txn_id"), Text(receipt, "hash"), isReplayed);

    /// <summary>Of a commit over several agents: in the order of the shares, whatever order the reply has.</summary>
    public static IReadOnlyList<Receipt> Receipts(JsonElement reply, IReadOnlyList<Share> shares, bool isReplayed)
    {
        Dictionary<AgentName, Receipt> receipts = reply.GetProperty("receipts").EnumerateArray()
            .Select(receipt => Receipt(receipt, new AgentName(Text(receipt, "namespace"), Text(receipt, "agent")), isReplayed))
            .ToDictionary(receipt => receipt.Agent);
        return [.. shares.Select(share => receipts[share.Agent])];
    }

    public static long Number(JsonElement json, string member) => json.GetProperty(member).GetInt64();

    public static string Text(JsonElement json, string member) => json.GetProperty(member).GetString()!;

    private static ReadAnswer Present(JsonElement state) => new(
        true,
        state.GetProperty("value").GetRawText(),
        Number(state, "version"),
        Number(state, "agent_version"),
        // What a transaction has staged itself has no place yet.
        state.TryGetProperty("commit_ts", out JsonElement commitTs) ? commitTs.GetInt64() : 0);
}

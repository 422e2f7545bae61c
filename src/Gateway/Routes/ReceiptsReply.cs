using System.Collections.Immutable;
using Statehouse.Agents;

namespace Statehouse.Gateway;

/// <summary>A <c>TransactionReceipt</c>: what a commit over several agents returns.</summary>
internal static class ReceiptsReply
{
    /// <param name="json">Where to.</param>
    /// <param name="txnId">Of all the commits.</param>
    /// <param name="commits">Empty where a transaction staged nothing; commit_ts is then 0.</param>
    public static void Write(JsonBuffer json, Guid txnId, ImmutableArray<TransactionCommit> commits)
    {
        long commitTs = commits.IsEmpty ? 0 : commits[0].Receipt.CommitTs.Value;
        json.Raw("{\"commit_ts\":"u8).Number(commitTs).Raw(",\"txn_id\":"u8).Uuid(txnId).Raw(",\"receipts\":["u8);
        for (int i = 0; i < commits.Length; i++)
        {
            if (i > 0)
                json.Raw(","u8);
            WireJson.AgentReceipt(json, commits[i].Agent, commits[i].Receipt);
        }
        json.Raw("]}"u8);
    }
}

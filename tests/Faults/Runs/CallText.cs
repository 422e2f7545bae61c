using System.Globalization;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Runs;

/// <summary>A recorded call in one line, for people.</summary>
internal static class CallText
{
    public static string Of(RecordedCall call) => string.Create(
        CultureInfo.InvariantCulture,
        $"#{call.Number} {call.InvokedAt / 1e6:0.000000}–{call.EndedAt / 1e6:0.000000} client {call.Client} {call.Workload}/{call.Protocol}: {Asked(call.Call)} → {Told(call.Result)}");

    private static string Asked(Call call) => call switch
    {
        ReadCall read => $"read{(read.IsStrong ? "" : " (may be old)")} {read.Agent} {read.Key}{At(read.AtVersion)}",
        ScanCall scan => $"scan{(scan.IsStrong ? "" : " (may be old)")} {scan.Agent} {scan.Prefix}*{At(scan.AtVersion)}",
        CommitCall commit => $"commit {Shares(commit.Shares)}{(commit.IdempotencyKey is null ? "" : $" key {commit.IdempotencyKey}")}",
        TransactionCall transaction => $"transaction reading {string.Join(", ", transaction.Reads.Select(read => $"{read.Agent} {read.Key}"))}",
        FollowCall follow => $"follow {follow.Agent} after version {follow.AfterVersion}",
        _ => call.ToString(),
    };

    private static string Told(CallResult result) => result.Outcome switch
    {
        Outcome.Ok => Answer(result.Answer!),
        _ => $"{result.Outcome.ToString().ToLowerInvariant()} {result.Code} {result.Detail}"
            + (result.SentShares is null ? "" : $" (sent: {Shares(result.SentShares)})"),
    };

    private static string Answer(Answer answer) => answer switch
    {
        ReadAnswer read => Read(read),
        ScanAnswer scan => $"{scan.Items.Count} keys at version {scan.AgentVersion}: {string.Join(", ", scan.Items.Select(item => $"{item.Key}={item.Value}"))}",
        CommitAnswer commit => string.Join(", ", commit.Receipts.Select(Receipt)),
        TransactionAnswer transaction => $"read {string.Join(", ", transaction.Reads.Select(Read))}; "
            + (transaction.Shares.Count == 0 ? "aborted" : $"{Shares(transaction.Shares)} → {string.Join(", ", transaction.Receipts.Select(Receipt))}"),
        _ => answer.ToString(),
    };

    private static string Read(ReadAnswer read) => $"{(read.Exists ? read.Value : "nothing")} (key version {read.KeyVersion}, agent version {read.AgentVersion})";

    private static string Receipt(Receipt receipt) =>
        $"{receipt.Agent} version {receipt.Version} commit_ts {receipt.CommitTs}{(receipt.IsReplayed ? " (replayed)" : "")}";

    private static string Shares(IEnumerable<Share> shares) => string.Join(" + ", shares.Select(share =>
        $"{share.Agent}{(share.IfAgentVersion is null ? "" : $" if version {share.IfAgentVersion}")} {{{string.Join(", ", share.Writes.Select(Write))}}}"));

    private static string Write(Write write) =>
        $"{write.Key}{(write.Value is null ? " deleted" : "=" + write.Value)}{(write.IfVersion is null ? "" : $" if {write.IfVersion}")}";

    private static string At(long? version) => version is null ? "" : $" at version {version}";
}

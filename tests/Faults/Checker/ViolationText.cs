using System.Globalization;
using System.Text;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>A violation as a person reads it: the sentence, and its calls under each other on one line of time.</summary>
public static class ViolationText
{
    private const int Columns = 40;
    private const int CallsMax = 40;

    /// <returns>
    /// Several lines, without a line feed at the end. A call is drawn from <c>|</c> (invoked) to <c>|</c> (ended); one of unknown outcome goes on
    /// as <c>?</c>, since it may still take effect. Bars keep the order of all invocations and ends, not the distances.
    /// </returns>
    public static string Of(Violation violation)
    {
        var text = new StringBuilder().Append(violation.Rule).Append(": ").Append(violation.Message);
        List<RecordedCall> calls = [.. violation.Calls.OrderBy(call => call.InvokedAt).Take(CallsMax)];
        // Distances differ by orders of magnitude, so moments are drawn by rank.
        List<long> moments = [.. calls.SelectMany(call => new[] { call.InvokedAt, call.EndedAt }).Distinct().Order()];
        foreach (RecordedCall call in calls)
        {
            text.Append("\n  ").Append(Bar(call, moments)).Append("  ").Append(Milliseconds(call.InvokedAt)).Append('–').Append(Milliseconds(call.EndedAt)).Append(" ms  #")
                .Append(call.Number).Append(" client ").Append(call.Client).Append(' ').Append(call.Protocol).Append("  ")
                .Append(Asked(call.Call, call)).Append(" → ").Append(Told(call.Result));
        }
        if (violation.Calls.Count > CallsMax)
            text.Append("\n  … and ").Append(violation.Calls.Count - CallsMax).Append(" calls more");
        return text.ToString();
    }

    private static string Bar(RecordedCall call, List<long> moments)
    {
        int last = Math.Max(1, moments.Count - 1);
        int from = moments.BinarySearch(call.InvokedAt) * (Columns - 1) / last;
        int to = Math.Max(from + 1, moments.BinarySearch(call.EndedAt) * (Columns - 1) / last);
        bool isUnknown = call.Result.Outcome == Outcome.Unknown;
        var bar = new StringBuilder().Append(' ', from).Append('|').Append('-', to - from - 1).Append(isUnknown ? '?' : '|');
        return bar.Append(isUnknown ? '?' : ' ', Columns + 1 - bar.Length).ToString();
    }

    private static string Milliseconds(long microseconds) => (microseconds / 1000.0).ToString("0.000", CultureInfo.InvariantCulture);

    private static string Asked(Call call, RecordedCall recorded) => call switch
    {
        ReadCall read => $"read {read.Key} of {read.Agent}{At(read.AtVersion)}{(read.IsStrong ? "" : ", may be old")}",
        ScanCall scan => $"scan \"{scan.Prefix}\" of {scan.Agent}{At(scan.AtVersion)}{(scan.IsStrong ? "" : ", may be old")}",
        CommitCall commit => $"commit {Shares(commit.Shares)}{(commit.IdempotencyKey is null ? "" : $" under the key {commit.IdempotencyKey}")}",
        TransactionCall transaction => $"transaction: read {string.Join(", ", transaction.Reads.Select(read => $"{read.Key} of {read.Agent}"))}; commit {Shares(Attempt.SharesOf(recorded))}",
        _ => call.ToString(),
    };

    private static string At(long? version) => version is null ? "" : $" at version {version}";

    private static string Shares(IReadOnlyList<Share> shares) =>
        shares.Count == 0 ? "nothing" : string.Join(" and ", shares.Select(share => $"{share.Agent}{(share.IfAgentVersion is null ? "" : $" if at version {share.IfAgentVersion}")} {{{string.Join(", ", share.Writes.Select(Operation))}}}"));

    private static string Operation(Write write) =>
        $"{write.Key} {(write.Value is null ? "deleted" : $":= {write.Value}")}{(write.IfVersion is null ? "" : $" if version {write.IfVersion}")}";

    private static string Told(CallResult result) => result.Outcome switch
    {
        Outcome.Ok => "ok" + Answered(result.Answer),
        Outcome.Refused => $"refused {result.Code}",
        _ => $"unknown {result.Code}" + Answered(result.Answer),
    };

    private static string Answered(Answer? answer) => answer switch
    {
        ReadAnswer read => $" {Read(read)}",
        ScanAnswer scan => $" {{{string.Join(", ", scan.Items.Select(item => $"{item.Key} = {item.Value} v{item.KeyVersion}"))}}}{AgentVersion(scan.AgentVersion)}",
        CommitAnswer commit => Receipts(commit.Receipts),
        TransactionAnswer transaction => $", read {string.Join(", ", transaction.Reads.Select(Read))}{Receipts(transaction.Receipts)}",
        _ => "",
    };

    private static string Read(ReadAnswer read) => $"{read.Value ?? "absent"} v{read.KeyVersion}{AgentVersion(read.AgentVersion)}";

    private static string AgentVersion(long version) => version == 0 ? "" : $" @{version}";

    private static string Receipts(IReadOnlyList<Receipt> receipts) =>
        string.Concat(receipts.Select(receipt => $", {receipt.Agent}{AgentVersion(receipt.Version)} commit_ts {receipt.CommitTs}{(receipt.IsReplayed ? " (replayed)" : "")}"));
}

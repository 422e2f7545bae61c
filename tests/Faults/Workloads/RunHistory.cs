using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>What one share of a call may have done.</summary>
/// <param name="Call">The call.</param>
/// <param name="Share">What it wrote on one agent, if it happened.</param>
internal sealed record Written(RecordedCall Call, Share Share)
{
    public Outcome Outcome => Call.Result.Outcome;
}

/// <summary>Questions that several workloads ask of the evidence.</summary>
internal static class RunHistory
{
    public static IEnumerable<RecordedCall> Of(this RunEvidence evidence, string workload) =>
        evidence.Calls.Where(call => call.Workload == workload);

    /// <summary>All that a workload's calls wrote or may have written; what was refused too.</summary>
    public static IEnumerable<Written> Writes(this IEnumerable<RecordedCall> calls) =>
        calls.SelectMany(call => SharesOf(call).Select(share => new Written(call, share)));

    /// <summary>What a call wrote or may have written. A transaction that was refused before its commit step has none.</summary>
    public static IReadOnlyList<Share> SharesOf(RecordedCall call) => call.Call switch
    {
        CommitCall commit => commit.Shares,
        TransactionCall => call.Result.SentShares ?? (call.Result is { Outcome: Outcome.Ok, Answer: TransactionAnswer answer } ? answer.Shares : []),
        _ => [],
    };

    /// <summary>All that the calls were shown of keys that exist: by reads, by scans, inside of transactions that committed.</summary>
    public static IEnumerable<Shown> Shows(this IEnumerable<RecordedCall> calls)
    {
        foreach (RecordedCall call in calls.Where(call => call.Result.Outcome == Outcome.Ok))
        {
            switch (call.Call, call.Result.Answer)
            {
                case (ReadCall read, ReadAnswer { Exists: true } answer):
                    yield return new Shown(call, read.Agent, read.Key, answer.Value!, answer.KeyVersion);
                    break;
                case (ScanCall scan, ScanAnswer answer):
                    foreach (ScannedKey item in answer.Items)
                        yield return new Shown(call, scan.Agent, item.Key, item.Value, item.KeyVersion);
                    break;
                case (TransactionCall transaction, TransactionAnswer answer):
                    for (int i = 0; i < answer.Reads.Count; i++)
                    {
                        if (answer.Reads[i].Exists)
                            yield return new Shown(call, transaction.Reads[i].Agent, transaction.Reads[i].Key, answer.Reads[i].Value!, answer.Reads[i].KeyVersion);
                    }
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>An agent's commits; empty where it has none.</summary>
    public static IReadOnlyList<JournaledCommit> Commits(this RunEvidence evidence, AgentName agent) =>
        evidence.Journals.TryGetValue(agent, out AgentJournal? journal) ? journal.Commits : [];

    /// <summary>An agent's live state as the server answers it; empty where it has none.</summary>
    public static IReadOnlyList<ScannedKey> State(this RunEvidence evidence, AgentName agent) =>
        evidence.Journals.TryGetValue(agent, out AgentJournal? journal) ? journal.State.Items : [];
}

/// <param name="Call">Which call was shown it.</param>
/// <param name="Agent">Of which agent.</param>
/// <param name="Key">Which key.</param>
/// <param name="Value">JSON text.</param>
/// <param name="KeyVersion">As answered.</param>
internal sealed record Shown(RecordedCall Call, AgentName Agent, string Key, string Value, long KeyVersion);

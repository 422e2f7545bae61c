using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>
/// Something that a client wanted written: one call, or all calls that carry the same idempotency key for the same agents, which
/// may take effect once together.
/// </summary>
internal sealed class Attempt(IReadOnlyList<Share> shares, string? idempotencyKey)
{
    /// <summary>What is to be written, as its first call says it.</summary>
    public IReadOnlyList<Share> Shares { get; } = shares;

    public string? IdempotencyKey { get; } = idempotencyKey;

    /// <summary>By number; at least one.</summary>
    public List<RecordedCall> Calls { get; } = [];

    /// <summary>The transaction in the journals that it became; null = none that is known.</summary>
    public JournaledTransaction? Landed { get; set; }

    public bool IsAcknowledged => Calls.Exists(call => call.Result.Outcome == Outcome.Ok);

    /// <summary>Whether it may be in the journal at all.</summary>
    public bool MayHaveLanded => Calls.Exists(call => call.Result.Outcome != Outcome.Refused);

    /// <summary>It cannot have taken effect before this; microseconds of the run.</summary>
    public long InvokedAt => Calls.Where(call => call.Result.Outcome != Outcome.Refused).Select(call => call.InvokedAt).DefaultIfEmpty(Calls[0].InvokedAt).Min();

    /// <summary>It must have taken effect by this; <see cref="long.MaxValue"/> where nobody was told that it did.</summary>
    public long EndedAt => Calls.Where(call => call.Result.Outcome == Outcome.Ok).Select(call => call.EndedAt).DefaultIfEmpty(long.MaxValue).Min();

    /// <summary>Whether all values went through gRPC, which keeps their meaning and not their text.</summary>
    public string Protocol => Calls[0].Protocol;

    /// <returns>All attempts of a history, by the number of their first call.</returns>
    public static IReadOnlyList<Attempt> Gather(IEnumerable<RecordedCall> calls)
    {
        var all = new List<Attempt>();
        var byKey = new Dictionary<(string Key, AgentName Agent), Attempt>();
        foreach (RecordedCall call in calls.OrderBy(call => call.Number))
        {
            IReadOnlyList<Share> shares = SharesOf(call);
            if (shares.Count == 0)
                continue;
            string? key = (call.Call as CommitCall)?.IdempotencyKey;
            Attempt? attempt = key is null ? null : byKey.GetValueOrDefault((key, shares[0].Agent));
            if (attempt is null)
            {
                all.Add(attempt = new Attempt(shares, key));
                if (key is not null)
                    byKey.Add((key, shares[0].Agent), attempt);
            }
            attempt.Calls.Add(call);
        }
        return all;
    }

    /// <summary>What a call wants written; empty = nothing (a read, an aborted transaction, one that never came to its commit).</summary>
    public static IReadOnlyList<Share> SharesOf(RecordedCall call) => call.Call switch
    {
        CommitCall commit => commit.Shares,
        TransactionCall => call.Result is { Outcome: Outcome.Ok, Answer: TransactionAnswer answer } ? answer.Shares : call.Result.SentShares ?? [],
        _ => [],
    };

    /// <summary>What an acknowledged call was told; empty for all other calls.</summary>
    public static IReadOnlyList<Receipt> ReceiptsOf(RecordedCall call) => call.Result switch
    {
        { Outcome: Outcome.Ok, Answer: CommitAnswer answer } => answer.Receipts,
        { Outcome: Outcome.Ok, Answer: TransactionAnswer answer } => answer.Receipts,
        _ => [],
    };

    public override string ToString() =>
        $"{string.Join(", ", Calls.Select(call => $"#{call.Number}"))} on {string.Join(", ", Shares.Select(share => share.Agent))}";
}

using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>
/// Holds what clients were told of their commits against the journals: every acknowledged one is there as told (I1), whole (I2), with
/// the values as written (I7), under a condition that held (I4), once for an idempotency key (I6); each transaction in
/// the journals was asked for by a call that was not refused (I6, I8, I9); and what was acknowledged before another was asked for has
/// the lower commit_ts (I3). It sets who became what (<see cref="Attempt.Landed"/>).
/// </summary>
internal sealed class CommitRules(EvidenceIndex index, CheckOptions options, Findings findings)
{
    public void Check()
    {
        foreach (Attempt attempt in index.Attempts.Where(attempt => attempt.IsAcknowledged))
            Acknowledged(attempt);
        new UnclaimedCommits(index, options, findings).Check();
        foreach (Attempt attempt in index.Attempts.Where(attempt => attempt.Landed is not null))
        {
            Contents(attempt);
            Condition(attempt);
        }
        RealTime();
    }

    private void Acknowledged(Attempt attempt)
    {
        foreach (RecordedCall call in attempt.Calls.Where(call => call.Result.Outcome == Outcome.Ok))
        {
            findings.Count(Rule.Durable);
            IReadOnlyList<Receipt> receipts = Attempt.ReceiptsOf(call);
            if (receipts.Count != attempt.Shares.Count || receipts.Select(receipt => receipt.CommitTs).Distinct().Count() != 1)
                findings.Broken(Rule.Atomic, $"{attempt.Shares.Count} shares were acknowledged with {receipts.Count} receipts of commit_ts {string.Join(", ", receipts.Select(receipt => receipt.CommitTs))}.", call);
            foreach (Receipt receipt in receipts)
            {
                if (Find(receipt, call) is { } transaction)
                    Claim(attempt, transaction, call, receipt.Agent);
            }
        }
    }

    private JournaledTransaction? Find(Receipt receipt, RecordedCall call)
    {
        AgentIndex agent = index.Agent(receipt.Agent);
        JournaledCommit? commit = receipt.Version > 0 ? agent.At(receipt.Version) : agent.AtCommitTs(receipt.CommitTs);
        if (commit is null)
        {
            findings.Broken(Rule.Durable, $"{receipt.Agent}: acknowledged as {Name(receipt)}; the journal, which ends at version {agent.LastVersion}, does not hold it.", call);
            return null;
        }
        bool isIt = commit.CommitTs == receipt.CommitTs
            && (receipt.TxnId.Length == 0 || receipt.TxnId == commit.TxnId)
            && (receipt.Hash.Length == 0 || receipt.Hash == commit.Hash);
        if (!isIt)
            findings.Broken(Rule.Durable, $"{receipt.Agent}: acknowledged as {Name(receipt)}; the journal has another commit there, with commit_ts {commit.CommitTs}, txn {commit.TxnId}, hash {commit.Hash}.", call);
        return isIt ? index.Transaction(receipt.Agent, commit.Version) : null;
    }

    private void Claim(Attempt attempt, JournaledTransaction transaction, RecordedCall call, AgentName agent)
    {
        if (attempt.Landed == transaction)
            return;
        if (transaction.Attempt is { } other)
        {
            findings.Broken(Rule.Durable, $"Transaction {transaction} was acknowledged to two requests, {other} and {attempt}: one of them is missing.", [call, other.Calls[0]]);
            return;
        }
        if (attempt.Landed is { } first)
        {
            // Beyond what an agent remembers, the same key is a new one.
            if (IsRemembered(attempt, first, transaction))
                findings.Broken(Rule.Idempotent, $"{agent}: the idempotency key {attempt.IdempotencyKey} was answered with {first} and with {transaction}.", attempt.Calls.Where(c => c.Result.Outcome == Outcome.Ok));
            transaction.Attempt = attempt;
            return;
        }
        attempt.Landed = transaction;
        transaction.Attempt = attempt;
    }

    private bool IsRemembered(Attempt attempt, JournaledTransaction one, JournaledTransaction other) =>
        UnclaimedCommits.KeyedBetween(index.Agent(attempt.Shares[0].Agent), one.CommitTs, other.CommitTs) < options.IdempotencyKeysMax;

    private void Contents(Attempt attempt)
    {
        findings.Count(Rule.Atomic);
        findings.Count(Rule.Lossless, attempt.Shares.Sum(share => share.Writes.Count));
        foreach ((string rule, string message) in Content.Differences(attempt, attempt.Landed!))
            findings.Broken(rule, message, attempt.Calls);
    }

    private void Condition(Attempt attempt)
    {
        // Repeats of one key may carry other conditions; the one that took effect is not known, so one that held is enough.
        List<RecordedCall> possible = attempt.Calls.FindAll(call => call.Result.Outcome != Outcome.Refused);
        if (possible.Count == 0 || !possible.TrueForAll(call => Conditions.Has(Attempt.SharesOf(call))))
            return;
        findings.Count(Rule.Fenced);
        List<string?> failed = possible.ConvertAll(call => Conditions.Failed(Attempt.SharesOf(call), attempt.Landed!, index));
        if (failed.TrueForAll(reason => reason is not null))
            findings.Broken(Rule.Fenced, $"{attempt.Landed} was committed though {failed[0]}.", possible);
    }

    private void RealTime()
    {
        List<Attempt> landed = [.. index.Attempts.Where(attempt => attempt.Landed is not null).OrderBy(attempt => attempt.InvokedAt)];
        List<Attempt> ended = [.. landed.Where(attempt => attempt.EndedAt < long.MaxValue).OrderBy(attempt => attempt.EndedAt)];
        Attempt? highest = null;
        int next = 0;
        foreach (Attempt attempt in landed)
        {
            for (; next < ended.Count && ended[next].EndedAt < attempt.InvokedAt; next++)
            {
                if (highest is null || ended[next].Landed!.CommitTs > highest.Landed!.CommitTs)
                    highest = ended[next];
            }
            if (highest is not null && highest.Landed!.CommitTs > attempt.Landed!.CommitTs)
                findings.Broken(Rule.Ordered, $"commit_ts {highest.Landed.CommitTs} was acknowledged before the request was sent that got the lower commit_ts {attempt.Landed.CommitTs}.", [highest.Calls[0], attempt.Calls[0]]);
        }
    }

    private static string Name(Receipt receipt) =>
        receipt.Version > 0 ? $"version {receipt.Version}, commit_ts {receipt.CommitTs}, txn {receipt.TxnId}" : $"commit_ts {receipt.CommitTs}";
}

using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>
/// Finds who asked for the transactions that no receipt names: by idempotency key, else by content. Each must be the whole of one
/// request whose outcome is unknown, which then has taken effect; requests of the same content are counted.
/// </summary>
internal sealed class UnclaimedCommits(EvidenceIndex index, CheckOptions options, Findings findings)
{
    private readonly Dictionary<(string Key, AgentName Agent), Attempt> _byKey = [];
    private readonly Dictionary<string, List<Attempt>> _open = new(StringComparer.Ordinal);
    private Dictionary<string, List<Attempt>>? _all;

    public void Check()
    {
        foreach (Attempt attempt in index.Attempts)
        {
            if (attempt.IdempotencyKey is { } key)
            {
                foreach (Share share in attempt.Shares)
                    _byKey.TryAdd((key, share.Agent), attempt);
            }
            else if (attempt.Landed is null && attempt.MayHaveLanded && !attempt.IsAcknowledged)
                Add(_open, attempt);
        }
        findings.Count(Rule.Isolated, index.Transactions.Count);
        foreach (JournaledTransaction transaction in index.Transactions.Where(transaction => transaction.Attempt is null))
        {
            if (transaction.Parts[0].Commit.IdempotencyKey is { } key)
                Keyed(transaction, key);
            else
                Unkeyed(transaction);
        }
    }

    /// <summary>How many commits with an idempotency key an agent's journal has between two positions.</summary>
    public static int KeyedBetween(AgentIndex agent, long oneCommitTs, long otherCommitTs) =>
        agent.Commits.Count(commit => commit.IdempotencyKey is not null
            && commit.CommitTs > Math.Min(oneCommitTs, otherCommitTs) && commit.CommitTs < Math.Max(oneCommitTs, otherCommitTs));

    private void Keyed(JournaledTransaction transaction, string key)
    {
        AgentName agent = transaction.Parts[0].Agent;
        Attempt? attempt = _byKey.GetValueOrDefault((key, agent));
        findings.Count(Rule.Idempotent);
        if (attempt is null)
            findings.Broken(Rule.Isolated, $"Transaction {transaction} carries the idempotency key {key}, which nobody sent.");
        else if (attempt.Landed is { } first)
        {
            if (KeyedBetween(index.Agent(agent), first.CommitTs, transaction.CommitTs) < options.IdempotencyKeysMax)
                findings.Broken(Rule.Idempotent, $"The idempotency key {key} took effect twice: {first} and {transaction}.", attempt.Calls);
        }
        else if (!attempt.MayHaveLanded)
            findings.Broken(Rule.Refused, $"Transaction {transaction} was refused.", attempt.Calls);
        else
            Land(attempt, transaction);
    }

    private void Unkeyed(JournaledTransaction transaction)
    {
        string signature = Content.Signature(transaction.Parts[0].Agent, transaction.Parts[0].Commit);
        List<Attempt> open = Open(_open, signature);
        List<Attempt> whole = open.FindAll(attempt => Content.IsWhole(attempt, transaction));
        // Among requests of the same content it is the first whose condition held: conditions tell them apart, and an earlier
        // request allows every order that a later one allows.
        Attempt? attempt = whole.Find(one => Conditions.Failed(one.Shares, transaction, index) is null) ?? whole.FirstOrDefault() ?? open.FirstOrDefault();
        if (attempt is not null)
            Land(attempt, transaction);
        else
            Unasked(transaction, signature);
    }

    private void Unasked(JournaledTransaction transaction, string signature)
    {
        if (_all is null)
        {
            _all = new Dictionary<string, List<Attempt>>(StringComparer.Ordinal);
            foreach (Attempt attempt in index.Attempts)
                Add(_all, attempt);
        }
        List<Attempt> same = _all.GetValueOrDefault(signature) ?? [];
        if (same.Find(attempt => !attempt.MayHaveLanded) is { } refused)
            findings.Broken(Rule.Refused, $"Transaction {transaction} was refused.", refused.Calls);
        else if (same.Count > 0)
            findings.Broken(Rule.Idempotent, $"Transaction {transaction} is in the journal once more than {string.Join(" and ", same)} account for.", same.SelectMany(attempt => attempt.Calls));
        else
            findings.Broken(Rule.Isolated, $"Nobody asked for the transaction {transaction}.");
    }

    private static void Land(Attempt attempt, JournaledTransaction transaction)
    {
        attempt.Landed = transaction;
        transaction.Attempt = attempt;
    }

    private static void Add(Dictionary<string, List<Attempt>> bySignature, Attempt attempt)
    {
        foreach (string signature in attempt.Shares.Select(Content.Signature).Distinct())
        {
            if (!bySignature.TryGetValue(signature, out List<Attempt>? same))
                bySignature.Add(signature, same = []);
            same.Add(attempt);
        }
    }

    private static List<Attempt> Open(Dictionary<string, List<Attempt>> bySignature, string signature)
    {
        List<Attempt> all = bySignature.GetValueOrDefault(signature) ?? [];
        all.RemoveAll(attempt => attempt.Landed is not null);
        return all;
    }
}

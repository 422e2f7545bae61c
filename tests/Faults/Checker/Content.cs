using System.Text;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker;

/// <summary>Compares what was asked to be written with what stands in a journal.</summary>
internal static class Content
{
    /// <summary>The same text for all shares and commits that may be of one request: agent, keys, and values by their meaning.</summary>
    public static string Signature(Share share) => Signature(share.Agent, share.Writes.Select(write => (write.Key, write.Value)));

    /// <inheritdoc cref="Signature(Share)"/>
    public static string Signature(AgentName agent, JournaledCommit commit) =>
        Signature(agent, commit.Operations.Select(operation => (operation.Key, operation.Value)));

    /// <summary>Whether a transaction is, by its contents, the whole of an attempt.</summary>
    public static bool IsWhole(Attempt attempt, JournaledTransaction transaction) =>
        attempt.Shares.Count == transaction.Parts.Count
        && attempt.Shares.All(share => transaction.Parts.Any(part => part.Agent == share.Agent && Signature(share) == Signature(part.Agent, part.Commit)));

    /// <summary>What is wrong with a transaction that is known to be an attempt's: the rule that it breaks, and a sentence.</summary>
    public static IEnumerable<(string Rule, string Message)> Differences(Attempt attempt, JournaledTransaction transaction)
    {
        foreach (Share share in attempt.Shares.Where(share => transaction.Parts.TrueForAll(part => part.Agent != share.Agent)))
            yield return (Rule.Atomic, $"Transaction {transaction} lacks its share on {share.Agent}.");
        foreach ((AgentName agent, JournaledCommit commit) in transaction.Parts)
        {
            Share? share = attempt.Shares.FirstOrDefault(share => share.Agent == agent);
            if (share is null)
                yield return (Rule.Isolated, $"Transaction {transaction} wrote {agent}, which its call does not name.");
            else if (Difference(attempt, share, commit) is { } difference)
                yield return (difference.Rule, $"{agent} version {commit.Version}: {difference.Message}");
        }
    }

    private static (string Rule, string Message)? Difference(Attempt attempt, Share share, JournaledCommit commit)
    {
        if (commit.Operations.Count != share.Writes.Count)
            return (Rule.Atomic, $"{share.Writes.Count} operations were asked for, the journal has {commit.Operations.Count}.");
        if (commit.IdempotencyKey != attempt.IdempotencyKey)
            return (Rule.Idempotent, $"the idempotency key is {commit.IdempotencyKey ?? "none"}, asked for was {attempt.IdempotencyKey ?? "none"}.");
        for (int i = 0; i < share.Writes.Count; i++)
        {
            (Write asked, JournaledOperation written) = (share.Writes[i], commit.Operations[i]);
            if (asked.Key != written.Key || asked.Value is null != written.Value is null)
                return (Rule.Isolated, $"operation {i + 1} is {Verb(written.Value)} {written.Key}, asked for was {Verb(asked.Value)} {asked.Key}.");
            if (!JsonTexts.AreSame(asked.Value, written.Value, attempt.Protocol))
                return (Rule.Lossless, $"{asked.Key} was written as {asked.Value}, the journal has {written.Value}.");
        }
        return null;
    }

    private static string Verb(string? value) => value is null ? "delete" : "put";

    private static string Signature(AgentName agent, IEnumerable<(string Key, string? Value)> operations)
    {
        var text = new StringBuilder();
        Part(text, agent.Namespace);
        Part(text, agent.Id);
        foreach ((string key, string? value) in operations)
        {
            Part(text, key);
            Part(text, value is null ? "delete" : JsonTexts.Canonical(value));
        }
        return text.ToString();
    }

    // With its length in front, so that no choice of characters makes two contents one.
    private static void Part(StringBuilder text, string part) => text.Append(part.Length).Append(':').Append(part);
}

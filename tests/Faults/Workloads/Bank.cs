using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>Accounts whose total never changes. One that was never written holds <see cref="Start"/>: nothing need be prepared.</summary>
/// <param name="Accounts">The keys that hold balances, on one agent or several.</param>
internal sealed record Bank(IReadOnlyList<(AgentName Agent, string Key)> Accounts)
{
    public const string Prefix = "a:";
    public const long Start = 100;

    private const string Balance = "b";

    public long Total => Start * Accounts.Count;

    public IReadOnlyList<AgentName> Agents { get; } = [.. Accounts.Select(account => account.Agent).Distinct()];

    /// <summary>Its agent, where it has only one: a scan of it shows the whole bank.</summary>
    public AgentName? OnlyAgent => Agents is [AgentName only] ? only : null;

    public static Bank On(IEnumerable<AgentName> agents, int accountsEach) =>
        new([.. agents.SelectMany(agent => Enumerable.Range(0, accountsEach).Select(i => (agent, $"{Prefix}{i}")))]);

    public static long BalanceOf(string? value) => value is null ? Start : Values.Number(value, Balance);

    public static string Value(WorkloadClient client, long balance) => Values.Of(client.Random, client.Token(), Values.Member(Balance, balance));

    /// <summary>Two accounts and how much goes from the first to the second.</summary>
    public (int From, int To, long Amount) Draw(Random random)
    {
        int from = random.Next(Accounts.Count);
        return (from, (from + random.Next(1, Accounts.Count)) % Accounts.Count, random.Next(1, 20));
    }

    /// <summary>Puts as shares, one for each agent.</summary>
    public static IReadOnlyList<Share> Shares(params IEnumerable<(AgentName Agent, Write Write)> writes) =>
        [.. writes.GroupBy(each => each.Agent).Select(agent => new Share(agent.Key, [.. agent.Select(each => each.Write)]))];

    /// <summary>What the items of a scan of its only agent add up to.</summary>
    public long Sum(IReadOnlyList<ScannedKey> items)
    {
        Dictionary<string, string> values = items.ToDictionary(item => item.Key, item => item.Value);
        return Accounts.Sum(account => BalanceOf(values.GetValueOrDefault(account.Key)));
    }

    /// <summary>The commit_ts at which the journals' total is first another one; null = at none.</summary>
    public (long CommitTs, long Total)? FirstWrongTotal(RunEvidence evidence)
    {
        var balances = Accounts.ToDictionary(account => account, _ => Start);
        long total = Total;
        IEnumerable<IGrouping<long, (AgentName Agent, JournaledCommit Commit)>> transactions = Agents
            .SelectMany(agent => evidence.Commits(agent).Select(commit => (Agent: agent, Commit: commit)))
            .OrderBy(each => each.Commit.CommitTs).ThenBy(each => each.Commit.Version)
            .GroupBy(each => each.Commit.CommitTs);
        foreach (IGrouping<long, (AgentName Agent, JournaledCommit Commit)> transaction in transactions)
        {
            foreach ((AgentName agent, JournaledOperation operation) in transaction.SelectMany(each => each.Commit.Operations.Select(operation => (each.Agent, operation))))
            {
                if (!balances.TryGetValue((agent, operation.Key), out long before))
                    continue;
                total += (balances[(agent, operation.Key)] = BalanceOf(operation.Value)) - before;
            }
            if (total != Total)
                return (transaction.Key, total);
        }
        return null;
    }
}

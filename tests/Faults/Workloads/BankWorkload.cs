using System.Collections.Concurrent;
using Statehouse.Faults.Checker;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Workloads;

/// <summary>
/// Transfers between accounts: of one agent by conditional commits, over several agents by interactive transactions and by
/// <c>POST /v1/commits</c>. The total of a bank is the same in every scan, in every transaction that reads all of it, at every
/// commit_ts of the journals, and in the end. A client without conditions moves money in banks of its own.
/// </summary>
public sealed class BankWorkload(WorkloadOptions options) : Workload("bank", options)
{
    private readonly ConcurrentDictionary<string, (int Generation, Bank Bank)> _banks = new();

    public override IEnumerable<Violation> Check(RunEvidence evidence)
    {
        Bank[] banks = [.. _banks.Values.Select(each => each.Bank)];
        RecordedCall[] calls = [.. evidence.Of(Name)];
        return [.. ScanProblems(banks, calls), .. TransactionProblems(banks, calls), .. JournalProblems(banks, evidence)];
    }

    protected override async Task RunAsync(WorkloadClient client)
    {
        OwnBank? own = null;
        while (client.IsRunning)
        {
            int generation = NextStep();
            if (client.HasConditions)
            {
                await StepAsync(client, generation);
                continue;
            }
            if (own is null || own.Client != client.Number || own.Generation != generation)
                own = Own(client.Number, generation);
            if (client.Random.Next(2) == 0)
                await TransferAsync(client, own);
            else
                await client.CallAsync(client.Scan(AnyOnlyAgent(client, generation), Bank.Prefix));
        }
    }

    private Task StepAsync(WorkloadClient client, int generation)
    {
        Bank one = BankOf(generation, "one", agents: 1, accountsEach: 5);
        Bank many = BankOf(generation, "many", agents: 4, accountsEach: 2);
        return client.Random.Next(100) switch
        {
            < 30 => TransferByScanAsync(client, one),
            < 50 => TransferByTransactionAsync(client, many),
            < 65 => TransferByReadsAsync(client, many),
            < 75 => AuditAsync(client, many),
            < 85 => AuditAsync(client, one),
            _ => client.CallAsync(client.Scan(AnyOnlyAgent(client, generation), Bank.Prefix)),
        };
    }

    private static async Task TransferByScanAsync(WorkloadClient client, Bank bank)
    {
        AgentName agent = bank.OnlyAgent!.Value;
        if ((await client.CallAsync(client.Scan(agent, Bank.Prefix))).Answer is not ScanAnswer scan)
            return;
        Dictionary<string, ScannedKey> items = scan.Items.ToDictionary(item => item.Key);
        (int from, int to, long amount) = bank.Draw(client.Random);
        bool isByAgent = client.Random.Next(2) == 0;
        Write[] writes = [Move(bank.Accounts[from].Key, -amount), Move(bank.Accounts[to].Key, amount)];
        await client.CallAsync(new CommitCall([new Share(agent, writes, isByAgent ? scan.AgentVersion : null)]));

        Write Move(string key, long by)
        {
            items.TryGetValue(key, out ScannedKey? item);
            string value = Bank.Value(client, Bank.BalanceOf(item?.Value) + by);
            return new Write(key, value, isByAgent ? null : item?.KeyVersion ?? 0);
        }
    }

    private static async Task TransferByTransactionAsync(WorkloadClient client, Bank bank)
    {
        (int from, int to, long amount) = bank.Draw(client.Random);
        await client.CallAsync(new TransactionCall([bank.Accounts[from], bank.Accounts[to]], reads => Bank.Shares(
            (bank.Accounts[from].Agent, new Write(bank.Accounts[from].Key, Bank.Value(client, Bank.BalanceOf(reads[0].Value) - amount))),
            (bank.Accounts[to].Agent, new Write(bank.Accounts[to].Key, Bank.Value(client, Bank.BalanceOf(reads[1].Value) + amount))))));
    }

    private static async Task TransferByReadsAsync(WorkloadClient client, Bank bank)
    {
        (int from, int to, long amount) = bank.Draw(client.Random);
        if ((await client.CallAsync(client.Read(bank.Accounts[from].Agent, bank.Accounts[from].Key))).Answer is not ReadAnswer source
            || (await client.CallAsync(client.Read(bank.Accounts[to].Agent, bank.Accounts[to].Key))).Answer is not ReadAnswer target)
            return;
        await client.CallAsync(new CommitCall(Bank.Shares(Move(from, source, -amount), Move(to, target, amount))));

        (AgentName, Write) Move(int account, ReadAnswer read, long by) =>
            (bank.Accounts[account].Agent, new Write(bank.Accounts[account].Key, Bank.Value(client, Bank.BalanceOf(read.Value) + by), read.KeyVersion));
    }

    /// <summary>Reads all accounts in one transaction. Over several agents it writes to each, so that its commit checks all that it read.</summary>
    private static async Task AuditAsync(WorkloadClient client, Bank bank) =>
        await client.CallAsync(new TransactionCall(bank.Accounts, _ => bank.OnlyAgent is not null
            ? []
            : [.. bank.Agents.Select(agent => new Share(agent, [new Write("audit", Values.Of(client.Random, client.Token()))]))]));

    /// <summary>The bank's only writer knows every balance; it leaves a bank behind where it does not know whether it moved.</summary>
    private static async Task TransferAsync(WorkloadClient client, OwnBank own)
    {
        (int from, int to, long amount) = own.Bank.Draw(client.Random);
        CallResult result = await client.CallAsync(new CommitCall(Bank.Shares(Move(from, -amount), Move(to, amount))));
        if (result.Outcome != Outcome.Ok)
            return;
        own.Balances[from] -= amount;
        own.Balances[to] += amount;

        (AgentName, Write) Move(int account, long by) =>
            (own.Bank.Accounts[account].Agent, new Write(own.Bank.Accounts[account].Key, Bank.Value(client, own.Balances[account] + by)));
    }

    private OwnBank Own(int client, int generation)
    {
        Bank bank = client % 2 == 0
            ? BankOf(generation, $"own-{client}", agents: 1, accountsEach: 4)
            : BankOf(generation, $"own-{client}", agents: 2, accountsEach: 2);
        return new OwnBank(client, generation, bank, [.. bank.Accounts.Select(_ => Bank.Start)]);
    }

    private Bank BankOf(int generation, string name, int agents, int accountsEach) =>
        _banks.GetOrAdd($"{generation}/{name}", _ => (generation, Bank.On(
            Enumerable.Range(0, agents).Select(i => Agent(generation, $"{name}-{i}")), accountsEach))).Bank;

    private AgentName AnyOnlyAgent(WorkloadClient client, int generation)
    {
        AgentName[] agents = [.. _banks.Values.Where(each => each.Generation == generation && each.Bank.OnlyAgent is not null).Select(each => each.Bank.OnlyAgent!.Value)];
        return agents.Length > 0
            ? agents[client.Random.Next(agents.Length)]
            : BankOf(generation, "one", agents: 1, accountsEach: 5).OnlyAgent!.Value;
    }

    private IEnumerable<Violation> ScanProblems(Bank[] banks, RecordedCall[] calls)
    {
        Dictionary<AgentName, Bank> byAgent = banks.Where(bank => bank.OnlyAgent is not null).ToDictionary(bank => bank.OnlyAgent!.Value);
        foreach (RecordedCall call in calls)
        {
            if (call is { Call: ScanCall scan, Result.Answer: ScanAnswer answer } && byAgent.TryGetValue(scan.Agent, out Bank? bank) && bank.Sum(answer.Items) != bank.Total)
                yield return Broken($"a scan of {scan.Agent} at version {answer.AgentVersion} adds up to {bank.Sum(answer.Items)}, not {bank.Total}", call);
        }
    }

    private IEnumerable<Violation> TransactionProblems(Bank[] banks, RecordedCall[] calls)
    {
        // Every audit reads a bank's accounts in their order.
        Dictionary<(AgentName, string), Bank> byFirst = banks.ToDictionary(bank => bank.Accounts[0]);
        foreach (RecordedCall call in calls)
        {
            if (call is not { Call: TransactionCall { Reads: [var first, ..] reads }, Result: { Outcome: Outcome.Ok, Answer: TransactionAnswer answer } }
                || !byFirst.TryGetValue(first, out Bank? bank) || !reads.SequenceEqual(bank.Accounts))
                continue;
            long sum = answer.Reads.Sum(read => Bank.BalanceOf(read.Value));
            if (sum != bank.Total)
                yield return Broken($"a transaction that read all accounts of {bank.Agents[0]} … saw {sum}, not {bank.Total}", call);
        }
    }

    private IEnumerable<Violation> JournalProblems(Bank[] banks, RunEvidence evidence)
    {
        foreach (Bank bank in banks)
        {
            if (bank.FirstWrongTotal(evidence) is var (commitTs, total))
                yield return Broken($"by the journals {string.Join(", ", bank.Agents)} hold {total} at commit_ts {commitTs}, not {bank.Total}");
            long sum = bank.Agents.Sum(agent => new Bank([.. bank.Accounts.Where(account => account.Agent == agent)]).Sum(evidence.State(agent)));
            if (sum != bank.Total)
                yield return Broken($"in the end {string.Join(", ", bank.Agents)} hold {sum}, not {bank.Total}");
        }
    }

    private sealed record OwnBank(int Client, int Generation, Bank Bank, long[] Balances);
}

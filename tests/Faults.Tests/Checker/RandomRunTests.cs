using Statehouse.Faults.Checker;
using Statehouse.Faults.Checker.Search;
using Statehouse.Faults.History;

namespace Statehouse.Faults.Tests.Checker;

public sealed class RandomRunTests
{
    private const int Overlap = 100;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 8)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_run_without_mistakes_passes(int seed) =>
        Judge.Passes(new SimulatedRun(seed, agents: 3, keys: 4, Overlap).Run(600));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void One_wrong_answer_in_it_is_found(int seed)
    {
        RunEvidence good = new SimulatedRun(seed, agents: 3, keys: 4, Overlap).Run(300);
        var random = new Random(seed);
        int bent = 0;
        for (int tries = 0; tries < 25; tries++)
        {
            int at = random.Next(good.Calls.Count);
            if (Bend(good, good.Calls[at], random) is not { } wrong)
                continue;
            bent++;
            RunEvidence bad = good with { Calls = [.. good.Calls.Select((call, i) => i == at ? wrong : call)] };
            Verdict verdict = RunChecker.Check(bad, new CheckOptions());
            Assert.True(verdict.Violations.Count > 0, $"not found: #{wrong.Number} {wrong.Call} → {wrong.Result.Answer}, was {good.Calls[at].Result.Answer}");
        }
        Assert.True(bent > 8, $"{bent}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_commit_taken_out_of_a_journal_is_found(int seed)
    {
        RunEvidence good = new SimulatedRun(seed, agents: 2, keys: 3, Overlap).Run(200);
        AgentName agent = SimulatedRun.Agent(0);
        int last = good.Journals[agent].Commits.Count;
        for (int version = 1; version < last; version += 7)
        {
            int gone = version;
            RunEvidence bad = FakeStore.WithJournal(good, agent, commits => commits.Where(commit => commit.Version != gone));
            Judge.Fails(bad, Rule.Ordered);
        }
    }

    /// <summary>Reads that tell versions, all of them really there: so only their order decides, and every order can be tried.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void On_small_runs_it_judges_an_answer_from_another_version_as_trying_every_order_does(int seed)
    {
        var random = new Random(seed);
        int passed = 0, failed = 0;
        for (int run = 0; run < 250; run++)
        {
            RunEvidence evidence = Small(random);
            var index = new EvidenceIndex(evidence);
            var findings = new Findings(10);
            new CommitRules(index, new CheckOptions(), findings).Check();
            IReadOnlyList<Placement> placements = new ReadRules(index, new CheckOptions(), findings).Check(evidence.Calls);
            var history = new SearchHistory(evidence, index, placements);
            bool expected = history.Agents.All(agent => BruteForce.IsLinearizable(new AgentModel(), history.Agent(agent)));

            var order = new Findings(10);
            new OrderRules(index, order).Check(placements);
            Assert.True(order.Verdict(default).IsClean == expected, $"expected {expected}:\n{string.Join("\n", evidence.Calls)}");
            Assert.Equal(expected, RunChecker.Check(evidence, new CheckOptions()).IsClean);
            (passed, failed) = expected ? (passed + 1, failed) : (passed, failed + 1);
        }
        Assert.True(passed > 25 && failed > 25, $"{passed} passed, {failed} failed");
    }

    private static RunEvidence Small(Random random)
    {
        var store = new FakeStore();
        AgentName agent = FakeStore.A;
        int count = random.Next(3, 8);
        for (int i = 0; i < count; i++)
        {
            long at = (i + 1) * 10;
            RecordedCall call = random.Next(5) switch
            {
                < 2 => store.Put(agent, "x", $"{i}"),
                2 => store.Unknown(landed: true, new Share(agent, [new Write("x", $"{i}")])),
                _ => store.Read(agent, "x"),
            };
            store.Calls[^1] = call with { InvokedAt = at - random.Next(18), EndedAt = at + random.Next(18) };
        }
        int read = store.Calls.FindIndex(call => call.Call is ReadCall);
        if (read >= 0 && store.Version(agent) > 0)
        {
            RecordedCall other = store.Read(agent, "x", atVersion: random.Next(1, (int)store.Version(agent) + 1));
            store.Calls.RemoveAt(store.Calls.Count - 1);
            store.Calls[read] = store.Calls[read] with { Result = other.Result };
        }
        return store.Evidence;
    }

    /// <returns>The call with an answer that no run can have given; null where this one has none to bend.</returns>
    private static RecordedCall? Bend(RunEvidence evidence, RecordedCall call, Random random)
    {
        Answer? bent = call.Result.Answer switch
        {
            ReadAnswer read => Bend(read, random),
            ScanAnswer { Items.Count: > 0 } scan => scan with { Items = [.. scan.Items.Skip(1)] },
            CommitAnswer commit => commit with { Receipts = [.. commit.Receipts.Select(receipt => Another(evidence, receipt, random))] },
            TransactionAnswer { Receipts.Count: > 0 } transaction => transaction with { Receipts = [.. transaction.Receipts.Select(receipt => Another(evidence, receipt, random))] },
            _ => null,
        };
        return bent is null ? null : call with { Result = call.Result with { Answer = bent } };
    }

    private static ReadAnswer Bend(ReadAnswer read, Random random) => random.Next(3) switch
    {
        0 => read with { Exists = true, Value = "\"nobody wrote this\"" },
        1 => read with { KeyVersion = read.KeyVersion + 1 },
        _ => read with { Exists = !read.Exists, Value = read.Exists ? null : "1" },
    };

    /// <summary>The receipt of another commit of the agent.</summary>
    private static Receipt Another(RunEvidence evidence, Receipt receipt, Random random)
    {
        IReadOnlyList<JournaledCommit> commits = evidence.Journals[receipt.Agent].Commits;
        JournaledCommit other = commits[(int)((receipt.Version + random.Next(commits.Count - 1)) % commits.Count)];
        return receipt with { Version = other.Version, CommitTs = other.CommitTs, TxnId = other.TxnId, Hash = other.Hash };
    }
}

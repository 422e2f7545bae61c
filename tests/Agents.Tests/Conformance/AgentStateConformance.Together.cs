using System.Collections.Immutable;
using System.Globalization;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Agents.Tests.Conformance;

public abstract partial class AgentStateConformance
{
    [Fact]
    public async Task A_commit_over_several_agents_shares_one_position_and_one_transaction()
    {
        await Agent("b").CommitAsync(Put("k", "1"));
        ImmutableArray<CommitReceipt> receipts = await Agents.CommitTogetherAsync(
            Together((Id("b"), Commit(Put("k", "2"))), (Id("a", "other"), Commit(Put("x", "1"), Delete("y")))), Cancellation);
        Assert.Equal([2, 1], receipts.Select(receipt => receipt.Version.Value));
        Assert.Single(receipts.Select(receipt => receipt.CommitTs).Distinct());
        Assert.Single(receipts.Select(receipt => receipt.TxnId).Distinct());
        await RestartAsync();
        Assert.Equal("2", await Agent("b").ReadAsync("k"));
        Assert.Equal("1", await Agent("a", "other").ReadAsync("x"));
        AssertChain(Id("b"), await Agent("b").HistoryAsync());
        AssertChain(Id("a", "other"), await Agent("a", "other").HistoryAsync());
    }

    [Fact]
    public async Task A_refusal_of_one_agent_leaves_all_of_them_unwritten()
    {
        await Agent("a").CommitAsync(Put("k", "1"));
        StatehouseException refusal = await RefusalAsync(async () => await Agents.CommitTogetherAsync(
            Together((Id("new"), Commit(Put("k", "1"))), (Id("a"), Commit(Put("k", "2", 7)))), Cancellation));
        Assert.Equal(ErrorCode.Conflict, refusal.Code);
        Assert.Equal("a", refusal.Details["agent"]);
        Assert.Empty(await Agent("new").HistoryAsync());
        Assert.Equal("1", await Agent("a").ReadAsync("k"));
        await Agent("new").CommitAsync(Put("k", "1"));
    }

    [Fact]
    public async Task An_idempotency_key_covers_all_agents_of_a_transaction()
    {
        CommitRequest Once(string value) => Commit(Put("k", value)) with { IdempotencyKey = "once" };
        ImmutableArray<AgentCommitRequest> commits = Together((Id("a"), Once("1")), (Id("b"), Once("1")));
        ImmutableArray<CommitReceipt> first = await Agents.CommitTogetherAsync(commits, Cancellation);
        ImmutableArray<CommitReceipt> again = await Agents.CommitTogetherAsync(commits, Cancellation);
        Assert.Equal(first.Select(receipt => receipt.Hash), again.Select(receipt => receipt.Hash));
        Assert.All(again, receipt => Assert.True(receipt.Replayed));

        StatehouseException other = await RefusalAsync(async () => await Agents.CommitTogetherAsync(
            Together((Id("a"), Once("1")), (Id("c"), Once("1"))), Cancellation));
        Assert.Equal(ErrorCode.IdempotencyKeyReused, other.Code);
        Assert.Empty(await Agent("c").HistoryAsync());
        Assert.Single(await Agent("a").HistoryAsync());
    }

    [Fact]
    public async Task The_same_agent_twice_or_keys_that_differ_are_refused()
    {
        Assert.Equal(ErrorCode.InvalidArgument, (await RefusalAsync(async () => await Agents.CommitTogetherAsync(
            Together((Id("a"), Commit(Put("k", "1"))), (Id("a"), Commit(Put("k", "1")))), Cancellation))).Code);
        Assert.Equal(ErrorCode.InvalidArgument, (await RefusalAsync(async () => await Agents.CommitTogetherAsync(
            Together((Id("a"), Commit(Put("k", "1")) with { IdempotencyKey = "x" }), (Id("b"), Commit(Put("k", "1")))), Cancellation))).Code);
        Assert.Empty(await Agent("a").HistoryAsync());
    }

    [Fact]
    public async Task Transfers_between_agents_keep_the_total_in_the_end_and_in_every_replay()
    {
        const int Accounts = 5;
        for (int i = 0; i < Accounts; i++)
            await Agent($"acct{i}").CommitAsync(Put("balance", "100"));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (int done = 0; done < 12;)
            {
                int from = random.Next(Accounts);
                int to = (from + 1 + random.Next(Accounts - 1)) % Accounts;
                KeyState source = await Agent($"acct{from}").GetAsync("balance");
                KeyState target = await Agent($"acct{to}").GetAsync("balance");
                try
                {
                    await Agents.CommitTogetherAsync(Together(
                        (Id($"acct{from}"), Commit(Put("balance", Add(source, -1), source.Version.Value))),
                        (Id($"acct{to}"), Commit(Put("balance", Add(target, 1), target.Version.Value)))), Cancellation);
                    done++;
                }
                catch (StateConflictException)
                {
                    // Read again.
                }
            }
        }, Cancellation)));

        var balances = new Dictionary<string, long>();
        FeedPage page = await Agents.ReadFeedAsync(CommitTs.None, 1000, null, Cancellation);
        foreach (IGrouping<CommitTs, FeedCommit> transaction in page.Commits.GroupBy(item => item.Commit.CommitTs))
        {
            foreach (FeedCommit item in transaction)
                balances[item.Agent.Name] = (await Agents.Get(item.Agent).GetAsync("balance", ReadPoint.AtVersion(item.Commit.Version))) is var state ? Number(state) : 0;
            if (balances.Count == Accounts)
                Assert.Equal(Accounts * 100, balances.Values.Sum());
        }
        Assert.Equal(Accounts, balances.Count);
    }

    [Fact]
    public async Task Whoever_sees_a_transaction_on_one_agent_sees_it_on_the_others()
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task writer = Task.Run(async () =>
        {
            try
            {
                for (int i = 1; i <= 300; i++)
                    await Agents.CommitTogetherAsync(Together((Id("a"), Commit(Put("n", $"{i}"))), (Id("b"), Commit(Put("n", $"{i}")))), Cancellation);
            }
            finally
            {
                await done.CancelAsync();
            }
        }, Cancellation);
        (string First, string Second)[] orders = [("a", "b"), ("b", "a")];
        for (int i = 0; !done.IsCancellationRequested; i++)
        {
            (string first, string second) = orders[i % 2];
            long before = Number(await Agent(first).GetAsync("n"));
            long after = Number(await Agent(second).GetAsync("n"));
            Assert.True(after >= before, $"{first} showed transaction {before}, then {second} showed {after}");
        }
        await writer;
    }

    [Fact]
    public async Task Plain_commits_and_transactions_of_the_same_agents_do_not_starve_each_other()
    {
        Task[] work =
        [
            .. Enumerable.Range(0, 6).Select(w => Task.Run(async () =>
            {
                for (int i = 0; i < 20; i++)
                    await Agents.CommitTogetherAsync(Together((Id(w % 2 == 0 ? "a" : "b"), Commit(Put($"t{w}", $"{i}"))), (Id(w % 2 == 0 ? "b" : "c"), Commit(Put($"t{w}", $"{i}")))), Cancellation);
            }, Cancellation)),
            .. Enumerable.Range(0, 6).Select(w => Task.Run(async () =>
            {
                for (int i = 0; i < 40; i++)
                    await Agent("abc"[w % 3].ToString()).CommitAsync(Put($"p{w}", $"{i}"));
            }, Cancellation)),
        ];
        await Task.WhenAll(work);
        long total = 0;
        foreach (string name in new[] { "a", "b", "c" })
        {
            List<JournalCommit> history = await Agent(name).HistoryAsync();
            AssertChain(Id(name), history);
            total += history.Count;
        }
        Assert.Equal(6 * 20 * 2 + 6 * 40, total);
    }

    private static string Add(KeyState state, long amount) => (Number(state) + amount).ToString(CultureInfo.InvariantCulture);

    private static long Number(KeyState state) => state.Exists ? long.Parse(state.Value.ToString(), CultureInfo.InvariantCulture) : 0;
}

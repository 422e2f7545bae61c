using System.Collections.Concurrent;
using Statehouse.Agents;
using Statehouse.Agents.Tests;
using Statehouse.Agents.Tests.Hosting;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Grains.Tests;

/// <summary>What callers of a grain see while the journal is away, fails, or succeeds without anybody hearing of it.</summary>
public sealed class GrainJournalFaultTests : SiloTest
{
    private SiloStore Silo => Silos.StoreOf<SiloStore>(Silos.Cluster.Silos[0]);

    [Fact]
    public async Task Journal_away_hundreds_of_callers_get_SH_2001_nothing_retries_and_the_same_activation_serves_again()
    {
        await Agent("a").CommitAsync(Put("k", "0"));
        ActivationId? activation = Silos.ActivationOf(Id("a"));
        Store.IsAway = true;
        int writesBefore = Silo.Writes;

        Task[] callers = [
            .. Enumerable.Range(0, 300).Select(i => Agent("a").CommitAsync(Put("k", $"{i}"))),
            .. Enumerable.Range(0, 50).Select(i => Agent($"new{i}").CommitAsync(Put("k", "1"))),
            .. Enumerable.Range(0, 50).Select(i => Agent($"other{i}").ReadAsync("k")),
            .. Enumerable.Range(0, 50).Select(_ => Agent("a").ReadAsync("k", consistency: Consistency.Strong)),
        ];
        foreach (Task caller in callers)
            Assert.IsType<JournalUnavailableException>(await FaultOf(WithinAsync(caller, "a caller to be told that the journal is away")));
        Assert.Equal("0", await Agent("a").ReadAsync("k"));
        // Each write is some caller's commit. A repeat inside of the protocol would have no caller, and would come without end.
        int writes = Silo.Writes - writesBefore;
        Assert.InRange(writes, 1, 350);

        Store.IsAway = false;
        Assert.Equal(2, (await Agent("a").CommitAsync(Put("k", "1000"))).Version.Value);
        Assert.Equal(activation, Silos.ActivationOf(Id("a")));
        Assert.Equal(1, (await Agent("new7").CommitAsync(Put("k", "1"))).Version.Value);
        Assert.Null(await Agent("other7").ReadAsync("k"));
        Assert.Equal(2, (await ChainOfAsync("a")).Count);
        Assert.Equal(writes + 2, Silo.Writes - writesBefore);
    }

    [Fact]
    public async Task A_write_that_hangs_and_then_fails_ends_all_who_wait_behind_it()
    {
        await Agent("a").CommitAsync(Put("k", "0"));
        var reached = new TaskCompletionSource();
        TaskCompletionSource held = Hold();
        Silo.OnWrite = async (_, _) =>
        {
            reached.TrySetResult();
            await held.Task;
            throw new JournalUnavailableException("The test took the journal away.");
        };
        Task<CommitReceipt>[] commits = [.. Enumerable.Range(0, 300).Select(i => Agent("a").CommitAsync(Put($"k{i}", "1")))];
        await WithinAsync(reached.Task, "the first write");
        Assert.Equal("0", await Agent("a").ReadAsync("k"));
        Assert.DoesNotContain(commits, commit => commit.IsCompleted);
        held.SetResult();
        foreach (Task<CommitReceipt> commit in commits)
            Assert.IsType<JournalUnavailableException>(await FaultOf(WithinAsync(commit, "a commit behind the failed write")));
        Silo.OnWrite = null;
        Assert.Equal(2, (await Agent("a").CommitAsync(Put("k", "2"))).Version.Value);
        Assert.Equal(2, (await ChainOfAsync("a")).Count);
    }

    [Fact]
    public async Task A_journal_that_closes_under_its_grains_is_SH_2001_and_nothing_hangs()
    {
        await Agent("a").CommitAsync(Put("k", "0"));
        await Silos.HostingOf(Silos.Cluster.Silos[0]).Journal.DrainAsync(Cancellation);
        Assert.IsType<JournalUnavailableException>(await FaultOf(WithinAsync(Agent("a").CommitAsync(Put("k", "1")), "a commit into a closed journal")));
        Assert.IsType<JournalUnavailableException>(await FaultOf(WithinAsync(
            Agents.CommitTogetherAsync(Together((Id("a"), Commit(Put("k", "1"))), (Id("b"), Commit(Put("k", "1")))), Cancellation).AsTask(),
            "a transaction into a closed journal")));
        Assert.Equal("0", await Agent("a").ReadAsync("k"));
        Assert.Single(await ChainOfAsync("a"));
    }

    [Fact]
    public async Task Reply_lost_after_the_write_all_pipelined_commits_get_receipts_and_are_there_once()
    {
        await Agent("a").CommitAsync(Put("k", "0"));
        var reached = new TaskCompletionSource();
        TaskCompletionSource held = Hold();
        int lost = 0;
        Silo.OnWrite = async (_, write) =>
        {
            reached.TrySetResult();
            await held.Task;
            await write();
            // The second write carries what was raised behind the first.
            if (Interlocked.Increment(ref lost) <= 2)
                throw new JournalOutcomeUnknownException("The test lost the reply.");
        };
        Task<CommitReceipt> first = Agent("a").CommitAsync(Put("first", "1"));
        await WithinAsync(reached.Task, "the first write");
        Task<CommitReceipt>[] commits = [first, .. Enumerable.Range(0, 99).Select(i => Agent("a").CommitAsync(Put($"k{i}", $"{i}")))];
        held.SetResult();
        CommitReceipt[] receipts = await WithinAsync(Task.WhenAll(commits), "receipts of commits whose replies were lost");

        Assert.True(lost >= 2, $"{lost} writes; the pipelined commits should need two");
        Assert.Equal(Enumerable.Range(2, 100).Select(i => (long)i), receipts.Select(receipt => receipt.Version.Value).Order());
        IReadOnlyList<JournalCommit> chain = await ChainOfAsync("a");
        Assert.Equal(101, chain.Count);
        foreach (CommitReceipt receipt in receipts)
        {
            JournalCommit kept = chain[(int)receipt.Version.Value - 1];
            Assert.Equal((kept.Hash, kept.TxnId, kept.CommitTs), (receipt.Hash, receipt.TxnId, receipt.CommitTs));
        }
    }

    [Fact]
    public async Task A_transaction_whose_reply_was_lost_is_acknowledged_and_shown_on_all_its_agents()
    {
        Silo.OnWrite = async (_, write) =>
        {
            Silo.OnWrite = null;
            await write();
            throw new JournalOutcomeUnknownException("The test lost the reply.");
        };
        var receipts = await Agents.CommitTogetherAsync(
            Together((Id("a"), Commit(Put("k", "1"))), (Id("b"), Commit(Put("k", "1")))), Cancellation);
        Assert.Single(receipts.Select(receipt => receipt.CommitTs).Distinct());
        Assert.Equal("1", await Agent("a").ReadAsync("k"));
        Assert.Equal("1", await Agent("b").ReadAsync("k"));
        Assert.Single(await ChainOfAsync("a"));
    }

    [Fact]
    public async Task Outcome_unknown_and_journal_away_is_SH_2002_and_a_write_that_lands_late_is_seen_by_the_next_default_read()
    {
        await Agent("a").CommitAsync(Put("k", "0"));
        Func<Task>? late = null;
        Silo.OnWrite = (batch, _) =>
        {
            Silo.OnWrite = null;
            late = LateWrite(batch);
            Store.IsAway = true;
            throw new JournalOutcomeUnknownException("The test lost the connection.");
        };
        Assert.IsType<JournalOutcomeUnknownException>(await FaultOf(WithinAsync(Agent("a").CommitAsync(Put("k", "1")), "the commit in doubt")));
        // Whoever was told to look must not be answered from memory.
        Assert.IsType<JournalUnavailableException>(await FaultOf(WithinAsync(Agent("a").ReadAsync("k"), "a read in doubt")));
        Store.IsAway = false;
        Assert.Equal("0", await Agent("a").ReadAsync("k"));
        await late!();
        Assert.Equal("1", await Agent("a").ReadAsync("k"));
        Assert.Equal(3, (await Agent("a").CommitAsync(Put("k", "2"))).Version.Value);
        await ChainOfAsync("a");
    }

    [Fact]
    public async Task A_transaction_that_lands_late_is_seen_by_the_next_default_read_of_each_of_its_agents()
    {
        await Agent("a").CommitAsync(Put("k", "0"));
        Func<Task>? late = null;
        Silo.OnWrite = (batch, _) =>
        {
            Silo.OnWrite = null;
            late = LateWrite(batch);
            throw new JournalOutcomeUnknownException("The test lost the connection.");
        };
        Assert.IsType<JournalOutcomeUnknownException>(await FaultOf(Agents.CommitTogetherAsync(
            Together((Id("a"), Commit(Put("k", "1"))), (Id("b"), Commit(Put("k", "1")))), Cancellation).AsTask()));
        Assert.Equal("0", await Agent("a").ReadAsync("k"));
        Assert.Null(await Agent("b").ReadAsync("k"));
        await late!();
        Assert.Equal("1", await Agent("a").ReadAsync("k"));
        Assert.Equal("1", await Agent("b").ReadAsync("k"));
    }

    /// <summary>
    /// A mix of failures before and after the write, over many callers: each acknowledged commit is there once, and
    /// nothing else but what was told to be in doubt.
    /// </summary>
    [Fact]
    public async Task Random_failures_lose_and_double_nothing()
    {
        int writes = 0;
        Silo.OnWrite = async (_, write) =>
        {
            int n = Interlocked.Increment(ref writes);
            if (n % 5 == 0)
                throw new JournalUnavailableException("The test took the journal away.");
            if (n % 7 == 0)
                throw new JournalOutcomeUnknownException("The test lost the request.");
            await write();
            if (n % 3 == 0)
                throw new JournalOutcomeUnknownException("The test lost the reply.");
        };
        var acknowledged = new ConcurrentBag<Guid>();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(w => Task.Run(async () =>
        {
            for (int i = 0; i < 40; i++)
            {
                Guid txnId = Guid.CreateVersion7();
                StatehouseException? fault = await FaultOf(Agent("a").CommitAsync(Commit(Put($"w{w}", $"{i}")) with { TxnId = txnId }, Cancellation).AsTask());
                if (fault is null)
                    acknowledged.Add(txnId);
                else
                    Assert.True(fault is JournalUnavailableException or JournalOutcomeUnknownException, fault.ToString());
            }
        }, Cancellation)));
        // A lost reply whose rows are there is resolved by a look into the journal; what stays unknown was not written.
        Assert.Equal(acknowledged.Order(), (await ChainOfAsync("a")).Select(commit => commit.TxnId).Order());
        Assert.True(acknowledged.Count > 160, $"only {acknowledged.Count} of 640 were acknowledged");
        for (int w = 0; w < 16; w++)
        {
            await using var fresh = new TestHost(Store);
            Assert.Equal(await fresh.Agent("a").ReadAsync($"w{w}"), await Agent("a").ReadAsync($"w{w}"));
        }
    }

    /// <summary>The same rows again, in objects of their own: whoever was told of a failure may have dropped the first ones.</summary>
    private Func<Task> LateWrite(IReadOnlyList<AppendUnit> batch)
    {
        AppendUnit[] copies = [.. batch.Select(unit => new AppendUnit(
            [.. unit.Runs.Select(run => new AppendRun(run.Handle, run.ExpectedVersion, run.ExpectedHash, [.. run.Commits]))]))];
        return async () =>
        {
            await Store.WriteAsync(copies, CancellationToken.None);
            Assert.All(copies, copy => Assert.Equal(AppendOutcome.Appended, copy.Outcome));
        };
    }
}

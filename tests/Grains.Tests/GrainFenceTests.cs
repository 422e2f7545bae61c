using System.Collections.Concurrent;
using System.Globalization;
using Orleans.TestingHost;
using Statehouse.Agents;
using Statehouse.Agents.Tests;
using Statehouse.Agents.Tests.Hosting;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Grains.Tests;

/// <summary>Somebody else writes the agent of a grain: the journal's fence keeps them apart (I4), and events that were decided on what never came to be are not written.</summary>
public sealed class GrainFenceTests : SiloTest
{
    private protected override int SiloCount => 2;

    [Fact]
    public async Task A_commit_behind_which_another_host_wrote_is_decided_again()
    {
        await using var other = new TestHost(Store);
        await Agent("a").CommitAsync(Put("k", "1"));
        await other.Agent("a").CommitAsync(Put("k", "2"));
        Assert.Equal(3, (await Agent("a").CommitAsync(Put("l", "3"))).Version.Value);
        Assert.Equal("2", await Agent("a").ReadAsync("k"));

        await other.Agent("a").CommitAsync(Put("k", "4"));
        Assert.Equal(ErrorCode.Conflict, (await RefusalAsync(() => Agent("a").CommitAsync(Put("k", "5", ifVersion: 2)))).Code);
        Assert.Equal(4, (await ChainOfAsync("a")).Count);
    }

    [Fact]
    public async Task Pipelined_commits_behind_which_another_host_wrote_are_all_decided_again()
    {
        await Agent("a").CommitAsync(Put("k", "0"));
        (TaskCompletionSource reached, TaskCompletionSource held) = HoldWritesOf(SiloOf("a"));
        Task<CommitReceipt> first = Agent("a").CommitAsync(Put("first", "1"));
        await WithinAsync(reached.Task, "the first write");
        Task<CommitReceipt>[] commits = [first, .. Enumerable.Range(0, 100).Select(i => Agent("a").CommitAsync(Put($"k{i}", $"{i}")))];
        await using (var other = new TestHost(Store))
            await other.Agent("a").CommitAsync(Put("k", "1"));
        held.SetResult();

        CommitReceipt[] receipts = await WithinAsync(Task.WhenAll(commits), "commits that the other host came before");
        Assert.Equal(Enumerable.Range(3, 101).Select(i => (long)i), receipts.Select(receipt => receipt.Version.Value).Order());
        Assert.Equal(103, (await ChainOfAsync("a")).Count);
    }

    /// <summary>Half of the commits rest on one that fails; the other half only stands behind it.</summary>
    [Fact]
    public async Task Commits_behind_a_failed_append_are_refused_where_they_rest_on_it_and_decided_again_where_they_do_not()
    {
        await Agent("a").CommitAsync(Put("n", "0"));
        var reached = new TaskCompletionSource();
        TaskCompletionSource held = Hold();
        SiloStore store = Silos.StoreOf<SiloStore>(SiloOf("a"));
        store.OnWrite = async (_, _) =>
        {
            reached.TrySetResult();
            await held.Task;
            store.OnWrite = null;
            throw new JournalUnavailableException("The test took the journal away.");
        };
        Task<CommitReceipt> fails = Agent("a").CommitAsync(Put("n", "1", ifVersion: 1));
        await WithinAsync(reached.Task, "the first write");
        Task<CommitReceipt>[] resting = [.. Enumerable.Range(2, 100).Select(version => Agent("a").CommitAsync(Put("n", $"{version}", ifVersion: version)))];
        Task<CommitReceipt>[] free = [.. Enumerable.Range(0, 100).Select(i => Agent("a").CommitAsync(Put($"free{i}", "1", ifVersion: 0)))];
        held.SetResult();

        Assert.IsType<JournalUnavailableException>(await FaultOf(WithinAsync(fails, "the commit that fails")));
        foreach (Task<CommitReceipt> each in resting)
            Assert.IsType<StateConflictException>(await FaultOf(WithinAsync(each, "a commit that rests on the failed one")));
        CommitReceipt[] receipts = await WithinAsync(Task.WhenAll(free), "commits behind the failed one");
        Assert.Equal(Enumerable.Range(2, 100).Select(i => (long)i), receipts.Select(receipt => receipt.Version.Value).Order());
        Assert.Equal(101, (await ChainOfAsync("a")).Count);
        Assert.Equal("0", await Agent("a").ReadAsync("n"));
    }

    /// <summary>Two clusters, each sure to have the only activation: what a partition makes of one.</summary>
    [Fact]
    public async Task Two_activations_of_one_agent_keep_every_acknowledged_commit_and_lose_no_update()
    {
        await using TestSilos twin = await StartSilosAsync(1);
        IAgentState[] both = [Agent("a"), twin.Agents.Get(Id("a"))];
        await both[0].CommitAsync(Put("n", "0"));
        var acknowledged = new ConcurrentBag<long>();
        int increments = 0;
        await WithinAsync(Task.WhenAll(Enumerable.Range(0, 8).Select(w => Task.Run(async () =>
        {
            for (int i = 0; i < 25; i++)
            {
                KeyState now = await both[w % 2].GetAsync("n", consistency: Consistency.Strong);
                int next = int.Parse(now.Value.ToString(), CultureInfo.InvariantCulture) + 1;
                try
                {
                    acknowledged.Add((await both[w % 2].CommitAsync(Put("n", $"{next}", now.Version.Value), Put($"w{w}", $"{i}"))).Version.Value);
                    Interlocked.Increment(ref increments);
                }
                catch (StateConflictException)
                {
                    // The other activation was first.
                }
                try
                {
                    acknowledged.Add((await both[w % 2].CommitAsync(Put($"w{w}", $"{i}"))).Version.Value);
                }
                catch (StateConflictException)
                {
                    // The other activation was first, sixteen times.
                }
            }
        }, Cancellation))), "both activations' commits");
        Assert.Equal(acknowledged.Append(1).Order(), (await ChainOfAsync("a")).Select(commit => commit.Version.Value));
        Assert.True(increments >= 10, $"only {increments} increments came through");
        foreach (IAgentState each in both)
            Assert.Equal($"{increments}", await each.ReadAsync("n", consistency: Consistency.Strong));
    }

    [Fact]
    public async Task A_killed_silo_that_still_appends_after_the_next_activation_did_writes_over_nothing()
    {
        (InProcessSiloHandle zombie, Task<CommitReceipt>[] orphans, TaskCompletionSource held) = await KillWithWritesHeldAsync();
        CommitReceipt receipt = await Agent("a").CommitAsync(Put("k", "1"));
        Assert.Equal(2, receipt.Version.Value);
        held.SetResult();
        await AssertZombieWroteNothingTwiceAsync(zombie, orphans, receipt);
    }

    [Fact]
    public async Task A_killed_silo_that_still_appends_before_the_next_activation_does_makes_that_decide_again()
    {
        (InProcessSiloHandle zombie, Task<CommitReceipt>[] orphans, TaskCompletionSource held) = await KillWithWritesHeldAsync();
        Assert.Equal("0", await Agent("a").ReadAsync("k"));
        held.SetResult();
        await WithinAsync(() => Store.JournalOf(Id("a")).Count > 1, "the killed silo's append");
        CommitReceipt receipt = await Agent("a").CommitAsync(Put("k", "1"));
        Assert.True(receipt.Version.Value > 2, $"version {receipt.Version} was taken");
        await AssertZombieWroteNothingTwiceAsync(zombie, orphans, receipt);
    }

    /// <summary>A commit decided in doubt meets the fence; a refusal would not, and would rest on what is no longer so.</summary>
    [Fact]
    public async Task A_precondition_on_what_a_killed_silo_appended_late_holds_at_the_next_activation()
    {
        (_, _, TaskCompletionSource held) = await KillWithWritesHeldAsync();
        Assert.Null(await Agent("a").ReadAsync("first"));
        held.SetResult();
        await WithinAsync(() => Store.JournalOf(Id("a")).Count > 1, "the killed silo's append");
        await Agent("a").CommitAsync(Put("first", "2", ifVersion: 1));
        Assert.Equal("2", await Agent("a").ReadAsync("first"));
    }

    /// <summary>Agent a has one commit; its silo is dead, with a write of its in the store and fifty commits raised behind.</summary>
    private async Task<(InProcessSiloHandle Zombie, Task<CommitReceipt>[] Orphans, TaskCompletionSource Held)> KillWithWritesHeldAsync()
    {
        await Agent("a").CommitAsync(Put("k", "0"));
        InProcessSiloHandle silo = SiloOf("a");
        (TaskCompletionSource reached, TaskCompletionSource held) = HoldWritesOf(silo);
        // A silo hears of another one's end, and ends its calls; a client waits for its own timeout.
        IAgentState caller = Silos.AgentsFrom(Silos.Cluster.Silos.First(each => each != silo)).Get(Id("a"));
        Task<CommitReceipt> first = caller.CommitAsync(Put("first", "1"));
        await WithinAsync(reached.Task, "the first write");
        Task<CommitReceipt>[] orphans = [first, .. Enumerable.Range(0, 50).Select(i => caller.CommitAsync(Put($"k{i}", "1")))];
        await Silos.KillAsync(silo);
        return (silo, orphans, held);
    }

    /// <summary>What was under way on the killed silo may be decided again there and land: after the next activation's commit, and once.</summary>
    private async Task AssertZombieWroteNothingTwiceAsync(InProcessSiloHandle zombie, Task<CommitReceipt>[] orphans, CommitReceipt acknowledged)
    {
        foreach (Task<CommitReceipt> orphan in orphans)
        {
            StatehouseException? fault = await FaultOf(WithinAsync(orphan, "a commit whose silo was killed"));
            // One that had not reached that silo yet may have found the next activation.
            Assert.True(fault is null or JournalOutcomeUnknownException, fault?.ToString());
        }
        await WithinAsync(Silos.HostingOf(zombie).Journal.DrainAsync(Cancellation), "the killed silo's journal");
        IReadOnlyList<JournalCommit> chain = await ChainOfAsync("a");
        Assert.Equal(chain.Count, chain.DistinctBy(commit => commit.TxnId).Count());
        Assert.Equal(acknowledged.TxnId, chain[(int)acknowledged.Version.Value - 1].TxnId);
        Assert.Equal("1", await Agent("a").ReadAsync("k", consistency: Consistency.Strong));
        Assert.Equal(chain.Count + 1, (await Agent("a").CommitAsync(Put("last", "1"))).Version.Value);
    }

    private (TaskCompletionSource Reached, TaskCompletionSource Held) HoldWritesOf(InProcessSiloHandle silo)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource held = Hold();
        Silos.StoreOf<SiloStore>(silo).OnWrite = async (_, write) =>
        {
            reached.TrySetResult();
            await held.Task;
            await write();
        };
        return (reached, held);
    }
}

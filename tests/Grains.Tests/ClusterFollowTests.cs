using Orleans.TestingHost;
using Statehouse.Agents;
using Statehouse.Agents.Tests;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Grains.Tests;

/// <summary>Followers of an agent while its silo dies, stops, or loses an append out of sight.</summary>
public sealed class ClusterFollowTests : SiloTest
{
    private protected override int SiloCount => 3;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_follower_sees_each_commit_once_and_in_order_while_the_agents_silo_goes(bool gracefully)
    {
        InProcessSiloHandle[] silos = [.. Silos.Cluster.Silos];
        await Silos.PlaceAsync(Id("a"), silos[0], Cancellation);
        await using var follower = new Follower(Silos.AgentsFrom(silos[1]).Get(Id("a")), FollowFrom(3));
        IAgentState writer = Silos.AgentsFrom(silos[2]).Get(Id("a"));
        await CommitUntilAsync(writer, 20);
        await follower.SeesAsync(20);

        Task going = gracefully ? Silos.StopAsync(silos[0]) : Silos.KillAsync(silos[0]);
        await CommitUntilAsync(writer, 40);
        await follower.SeesAsync(40);
        await WithinAsync(going, "the silo to be gone");
        await CommitUntilAsync(writer, 60);
        await follower.SeesAsync(60);
        Assert.Equal(Enumerable.Range(3, 58).Select(i => (long)i), follower.Seen.Select(commit => commit.Version.Value));
        IReadOnlyList<JournalCommit> chain = await ChainOfAsync("a");
        Assert.Equal(chain.Skip(2).Take(58).Select(commit => commit.Hash), follower.Seen.Select(commit => commit.Hash));
    }

    /// <summary>An activation that is followed is never without a call; one call lasts half a response timeout.</summary>
    [Fact]
    public async Task A_silo_stops_without_waiting_for_the_followers_of_its_agents()
    {
        InProcessSiloHandle[] silos = [.. Silos.Cluster.Silos];
        await Silos.PlaceAsync(Id("a"), silos[0], Cancellation);
        await Agent("a").CommitAsync(Put("k", "1"));
        await using var follower = new Follower(Silos.AgentsFrom(silos[1]).Get(Id("a")), FollowFrom(1));
        await follower.SeesAsync(1);
        long began = TimeProvider.System.GetTimestamp();
        Task stopping = Silos.StopAsync(silos[0]);
        Assert.Equal(2, (await CommitMeanwhileAsync(Silos.AgentsFrom(silos[2]).Get(Id("a")))).Version.Value);
        await WithinAsync(stopping, "the silo to stop");
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(12));
        await follower.SeesAsync(2);
    }

    /// <summary>The silo may refuse to pass the first one on, and nobody then says whether it came through; one repeat cures that.</summary>
    private static async Task<CommitReceipt> CommitMeanwhileAsync(IAgentState agent)
    {
        CommitRequest request = Commit(Put("k", "2")) with { IdempotencyKey = "meanwhile" };
        try
        {
            return await WithinAsync(agent.CommitAsync(request, Cancellation).AsTask(), "a commit meanwhile");
        }
        catch (JournalOutcomeUnknownException)
        {
            return await WithinAsync(agent.CommitAsync(request, Cancellation).AsTask(), "its repeat");
        }
    }

    /// <summary>Nobody wrote for longer than a follower waits for an answer; that it is quiet says nothing about its silo.</summary>
    [Fact]
    public async Task A_follower_of_a_quiet_agent_outlives_the_agents_silo()
    {
        InProcessSiloHandle[] silos = [.. Silos.Cluster.Silos];
        await Silos.PlaceAsync(Id("a"), silos[0], Cancellation);
        await Agent("a").CommitAsync(Put("k", "1"));
        var clock = new QuietClock();
        IAgents agents = Silos.AgentsFrom(silos[1], clock);
        await using var follower = new Follower(agents.Get(Id("a")), FollowFrom(1));
        await follower.SeesAsync(1);
        clock.Skip(TimeSpan.FromHours(1));
        await Silos.KillAsync(silos[0]);
        await CommitUntilAsync(Silos.AgentsFrom(silos[2]).Get(Id("a")), 2);
        await follower.SeesAsync(2);
    }

    [Fact]
    public async Task A_follower_of_an_agent_in_doubt_sees_what_lands_late()
    {
        InProcessSiloHandle[] silos = [.. Silos.Cluster.Silos];
        await Silos.PlaceAsync(Id("a"), silos[0], Cancellation);
        await Agent("a").CommitAsync(Put("k", "1"));
        await using var follower = new Follower(Silos.AgentsFrom(silos[1]).Get(Id("a")), FollowFrom(1));
        await follower.SeesAsync(1);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource held = Hold();
        Silos.StoreOf<SiloStore>(silos[0]).OnWrite = async (_, write) =>
        {
            reached.SetResult();
            await held.Task;
            await write();
        };
        Task<CommitReceipt> lost = Silos.AgentsFrom(silos[1]).Get(Id("a")).CommitAsync(Put("k", "2"));
        await WithinAsync(reached.Task, "the write");
        await Silos.KillAsync(silos[0]);
        Assert.IsType<JournalOutcomeUnknownException>(await FaultOf(WithinAsync(lost, "the commit whose silo was killed")));
        Assert.Equal("1", await Silos.AgentsFrom(silos[2]).Get(Id("a")).ReadAsync("k"));
        held.SetResult();
        await follower.SeesAsync(2);
        Assert.Equal("2", await Silos.AgentsFrom(silos[2]).Get(Id("a")).ReadAsync("k"));
    }

    /// <summary>A client hears nothing of a killed silo: its call would end with its timeout, half a minute later.</summary>
    [Fact]
    public async Task A_follower_that_gives_up_is_let_go_at_once_also_where_its_silo_is_gone()
    {
        InProcessSiloHandle[] silos = [.. Silos.Cluster.Silos];
        await Silos.PlaceAsync(Id("a"), silos[0], Cancellation);
        await Agent("a").CommitAsync(Put("k", "1"));
        await using var living = new Follower(Agent("a"), FollowFrom(1));
        await living.SeesAsync(1);
        await living.StopAsync(TimeSpan.FromSeconds(10));

        await using var orphan = new Follower(Agent("a"), FollowFrom(1));
        await orphan.SeesAsync(1);
        await Silos.KillAsync(silos[0]);
        await orphan.StopAsync(TimeSpan.FromSeconds(10));
    }

    private static AgentVersion FollowFrom(long version) => new(version);

    private static async Task CommitUntilAsync(IAgentState agent, int version)
    {
        while (true)
        {
            try
            {
                if ((await WithinAsync(agent.CommitAsync(Put("k", "1")), "a commit")).Version.Value >= version)
                    return;
            }
            catch (StatehouseException fault) when (fault.Code.Kind() == ErrorKind.Fault)
            {
                await Task.Delay(50, Cancellation);
            }
        }
    }

    /// <summary>Real time, and now and then some more.</summary>
    private sealed class QuietClock : TimeProvider
    {
        private long _skipped;

        public void Skip(TimeSpan time) => Interlocked.Add(ref _skipped, (long)(time.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _skipped);
    }

    private sealed class Follower : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        private readonly List<JournalCommit> _seen = [];
        private readonly Task _following;

        public Follower(IAgentState agent, AgentVersion from) => _following = FollowAsync(agent, from);

        public List<JournalCommit> Seen
        {
            get
            {
                lock (_seen)
                    return [.. _seen.TakeWhile(commit => commit.Version.Value <= _last)];
            }
        }

        private long _last;

        /// <summary>Waits until it has seen a version.</summary>
        public async Task SeesAsync(long version)
        {
            _last = version;
            await WithinAsync(() => _following.IsFaulted || Seen is [.., { Version.Value: var last }] && last >= version, $"the follower to see version {version}");
            if (_following.IsFaulted)
                await _following;
        }

        public async Task StopAsync(TimeSpan within)
        {
            await _stop.CancelAsync();
            await _following.WaitAsync(within, Cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _stop.Dispose();
        }

        private async Task FollowAsync(IAgentState agent, AgentVersion from)
        {
            try
            {
                await foreach (JournalCommit commit in agent.ReplayAsync(from, follow: true, _stop.Token))
                {
                    lock (_seen)
                        _seen.Add(commit);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // Asked to stop.
            }
        }
    }
}

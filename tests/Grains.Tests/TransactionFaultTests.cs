using System.Collections.Immutable;
using System.Globalization;
using Orleans.TestingHost;
using Statehouse.Agents;
using Statehouse.Agents.Tests;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Grains.Tests;

/// <summary>
/// Transactions over agents on different silos, with a silo killed at each step. All the while readers look at one
/// agent and then at the other: who was answered after a transaction by one must not be answered before it by the
/// other (I2).
/// </summary>
public sealed class TransactionFaultTests : SiloTest
{
    private InProcessSiloHandle[] _silos = [];
    private IAgents _observer = null!;

    public enum Victim
    {
        /// <summary>The silo of agent a.</summary>
        Participant,

        /// <summary>A silo that hosts none of the agents.</summary>
        Coordinator,

        /// <summary>The silo of agent a coordinates as well.</summary>
        Both,
    }

    public enum Step
    {
        /// <summary>Agent a is held, b not yet.</summary>
        Held,

        /// <summary>The append is in the store, and has not landed.</summary>
        Appending,

        /// <summary>The append has landed, and nobody was told.</summary>
        Appended,
    }

    private protected override int SiloCount => 3;

    [Theory]
    [InlineData(Victim.Participant, Step.Held)]
    [InlineData(Victim.Participant, Step.Appending)]
    [InlineData(Victim.Participant, Step.Appended)]
    [InlineData(Victim.Coordinator, Step.Held)]
    [InlineData(Victim.Coordinator, Step.Appending)]
    [InlineData(Victim.Coordinator, Step.Appended)]
    [InlineData(Victim.Both, Step.Held)]
    [InlineData(Victim.Both, Step.Appending)]
    [InlineData(Victim.Both, Step.Appended)]
    public async Task Silo_killed_while_a_transaction_is_under_way_nobody_sees_half_of_it_and_all_serve_again(Victim victim, Step step)
    {
        await PlaceAsync();
        InProcessSiloHandle killed = _silos[victim == Victim.Coordinator ? 2 : 0];
        InProcessSiloHandle coordinator = _silos[victim == Victim.Both ? 0 : 2];
        await WriteBothAsync(_observer, 1);
        await using var readers = new PairReaders(_observer);

        (Task reached, TaskCompletionSource release) = await StopAtAsync(step, coordinator);
        Task<ImmutableArray<CommitReceipt>> transaction = WriteBothAsync(Silos.AgentsFrom(coordinator), 2);
        await WithinAsync(reached, $"the transaction to be {step}");
        await Silos.KillAsync(killed);
        release.SetResult();
        StatehouseException? fault = await FaultOf(WithinAsync(transaction, "the caller of the transaction to be told"));
        Assert.True(fault is null || fault.Code.Kind() == ErrorKind.Fault, fault?.ToString());

        // Both serve again, and a repeat is answered right whatever became of the first.
        ImmutableArray<CommitReceipt> repeated = await EventuallyAsync(() => WriteBothAsync(_observer, 2));
        Assert.Single(repeated.Select(receipt => receipt.CommitTs).Distinct());
        if (fault is null)
            Assert.Equal((await transaction).Select(receipt => (receipt.Version, receipt.TxnId)), repeated.Select(receipt => (receipt.Version, receipt.TxnId)));
        await EventuallyAsync(() => WriteBothAsync(_observer, 3));
        await readers.StopAsync();
        foreach (string name in (string[])["a", "b"])
        {
            Assert.Equal(3, (await ChainOfAsync(name)).Count);
            Assert.Equal("3", await _observer.Get(Id(name)).ReadAsync("n"));
        }
        Assert.Equal(Store.JournalOf(Id("a")).Select(commit => commit.TxnId), Store.JournalOf(Id("b")).Select(commit => commit.TxnId));
    }

    /// <summary>The database may be long about an append whose sender is dead: until then agents are active elsewhere.</summary>
    [Theory]
    [InlineData(Victim.Participant)]
    [InlineData(Victim.Coordinator)]
    [InlineData(Victim.Both)]
    public async Task Append_that_lands_when_leases_are_over_is_seen_by_the_next_default_read_of_every_agent(Victim victim)
    {
        await PlaceAsync();
        InProcessSiloHandle coordinator = _silos[victim == Victim.Both ? 0 : 2];
        await WriteBothAsync(_observer, 1);
        (Task reached, TaskCompletionSource release) = await StopAtAsync(Step.Appending, coordinator);
        Task<ImmutableArray<CommitReceipt>> transaction = WriteBothAsync(Silos.AgentsFrom(coordinator), 2);
        await WithinAsync(reached, "the append");
        await Silos.KillAsync(_silos[victim == Victim.Coordinator ? 2 : 0]);
        // A closed agent answers when its lease is over; a new activation at once.
        foreach (string name in (string[])["a", "b"])
            Assert.Equal("1", await EventuallyAsync(() => _observer.Get(Id(name)).ReadAsync("n")));

        await using var readers = new PairReaders(_observer);
        release.SetResult();
        await WithinAsync(() => Store.JournalOf(Id("b")).Count == 2, "the append to land");
        foreach (string name in (string[])["b", "a", "b"])
            Assert.Equal("2", await _observer.Get(Id(name)).ReadAsync("n"));
        await FaultOf(WithinAsync(transaction, "the caller of the transaction to be told"));
        await EventuallyAsync(() => WriteBothAsync(_observer, 3));
        await readers.StopAsync();
    }

    /// <summary>No lease ends these holds in time, so each one that is left behind keeps an agent shut.</summary>
    [Fact]
    public async Task Callers_that_give_up_at_any_moment_leave_no_agent_held()
    {
        await using TestSilos silos = await TestSilos.StartAsync(
            2, () => Task.FromResult<IJournalStore>(new SiloStore(Store)), Options with { HoldLease = TimeSpan.FromMinutes(10) });
        AgentId[] ids = [.. Enumerable.Range(0, 6).Select(i => Id($"held{i}"))];
        var random = new Random(7);
        Task[] callers = [.. Enumerable.Range(0, 200).Select(async i =>
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            AgentId[] some = [.. ids.OrderBy(_ => random.Next()).Take(3)];
            patience.CancelAfter(TimeSpan.FromMilliseconds(random.Next(1, 200)));
            try
            {
                await silos.Agents.CommitTogetherAsync(Together([.. some.Select(id => (id, Commit(Put("n", $"{i}"))))]), patience.Token);
            }
            catch (OperationCanceledException) when (patience.IsCancellationRequested)
            {
                // Gave up.
            }
        })];
        await WithinAsync(Task.WhenAll(callers), "callers that give up");
        foreach (AgentId id in ids)
        {
            await WithinAsync(silos.Agents.Get(id).ReadAsync("n"), $"{id} to answer a read");
            await WithinAsync(silos.Agents.Get(id).CommitAsync(Put("n", "0")), $"{id} to take a commit");
        }
    }

    /// <summary>Agent a on the first silo, b on the second, nothing on the third; the second one is never killed, and looks on.</summary>
    private async Task PlaceAsync()
    {
        _silos = [.. Silos.Cluster.Silos];
        await Silos.PlaceAsync(Id("a"), _silos[0], Cancellation);
        await Silos.PlaceAsync(Id("b"), _silos[1], Cancellation);
        _observer = Silos.AgentsFrom(_silos[1]);
    }

    /// <returns>When the transaction has come to the step, and what lets it go on from there.</returns>
    private async Task<(Task Reached, TaskCompletionSource Release)> StopAtAsync(Step step, InProcessSiloHandle coordinator)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource release = Hold();
        if (step == Step.Held)
        {
            // Agent b has a commit in the store, so the transaction waits for its turn there, holding a.
            SiloStore store = Silos.StoreOf<SiloStore>(_silos[1]);
            var writing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            store.OnWrite = async (_, write) =>
            {
                writing.TrySetResult();
                await release.Task;
                store.OnWrite = null;
                throw new JournalUnavailableException("The test took the journal away.");
            };
            Task<StatehouseException?> barring = FaultOf(_observer.Get(Id("b")).CommitAsync(Put("other", "1")));
            await WithinAsync(writing.Task, "the commit that bars the way");
            return (HeldAsync(), release);
        }
        Silos.StoreOf<SiloStore>(coordinator).OnWrite = async (_, write) =>
        {
            if (step == Step.Appended)
                await write();
            reached.TrySetResult();
            await release.Task;
            if (step == Step.Appending)
                await write();
        };
        return (reached.Task, release);
    }

    /// <summary>Held, an agent answers no read.</summary>
    private async Task HeldAsync()
    {
        while (true)
        {
            Task read = _observer.Get(Id("a")).ReadAsync("n");
            if (await Task.WhenAny(read, Task.Delay(200, Cancellation)) != read)
                return;
            await read;
        }
    }

    private static async Task<ImmutableArray<CommitReceipt>> WriteBothAsync(IAgents agents, int n) =>
        await agents.CommitTogetherAsync(
            Together(
                (Id("b"), Commit(Put("n", $"{n}")) with { IdempotencyKey = $"n{n}" }),
                (Id("a"), Commit(Put("n", $"{n}")) with { IdempotencyKey = $"n{n}" })),
            Cancellation);

    /// <summary>What a caller does who is told to: tries again, within a bound.</summary>
    private static async Task<T> EventuallyAsync<T>(Func<Task<T>> call)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await WithinAsync(call(), "an answer");
            }
            catch (StatehouseException fault) when (fault.Code.Kind() == ErrorKind.Fault && TimeProvider.System.GetElapsedTime(began) < Bound)
            {
                await Task.Delay(50, Cancellation);
            }
        }
    }

    /// <summary>Read a then b, and b then a, all the time.</summary>
    private sealed class PairReaders : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        private readonly Task _all;

        public PairReaders(IAgents agents) =>
            _all = Task.WhenAll(
                ReadAsync(agents, "a", "b"), ReadAsync(agents, "b", "a"), ReadAsync(agents, "a", "b"), ReadAsync(agents, "b", "a"));

        /// <summary>Fails where one of them has seen a transaction on one agent and not on the other.</summary>
        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await WithinAsync(_all, "the readers to stop");
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _stop.Dispose();
        }

        private async Task ReadAsync(IAgents agents, string first, string then)
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    int seen = await ReadAsync(agents.Get(Id(first)));
                    int after = await ReadAsync(agents.Get(Id(then)));
                    Assert.True(after >= seen, $"{first} showed transaction {seen}, and then {then} still {after}.");
                    await Task.Delay(2, _stop.Token);
                }
                catch (JournalUnavailableException)
                {
                    // The silo was killed under the read.
                }
                catch (OperationCanceledException) when (_stop.IsCancellationRequested)
                {
                    return;
                }
            }
        }

        private async Task<int> ReadAsync(IAgentState agent)
        {
            KeyState state = await agent.GetAsync(new GetRequest(new Key("n")), _stop.Token);
            return state.Exists ? int.Parse(state.Value.ToString(), CultureInfo.InvariantCulture) : 0;
        }
    }
}

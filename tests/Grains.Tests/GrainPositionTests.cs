using Statehouse.Agents;
using Statehouse.Agents.Tests;
using Statehouse.Journal;
using static Statehouse.Agents.Tests.Story;

namespace Statehouse.Grains.Tests;

/// <summary>Orleans counts an activation's events in an <c>int</c>: what happens when few are left.</summary>
public sealed class GrainPositionTests : SiloTest
{
    private const int EventsLeft = 300;

    private protected override AgentGrainOptions GrainOptions => new() { FirstPosition = int.MaxValue - AgentStateGrain.PositionsLeftMin - EventsLeft };

    [Fact]
    public async Task An_activation_whose_counter_nears_its_end_is_followed_by_a_fresh_one_and_loses_nothing()
    {
        await Agent("a").CommitAsync(Put("k", "0"));
        ActivationId? first = Silos.ActivationOf(Id("a"));
        var activations = new HashSet<ActivationId>();
        for (int wave = 0; wave < 5; wave++)
        {
            Task<CommitReceipt>[] commits = [.. Enumerable.Range(0, 200).Select(i => Agent("a").CommitAsync(Put($"k{i}", $"{wave}", ifVersion: wave)))];
            CommitReceipt[] receipts = await WithinAsync(Task.WhenAll(commits), "a wave of commits");
            Assert.Equal(
                Enumerable.Range(wave * 200 + 2, 200).Select(i => (long)i), receipts.Select(receipt => receipt.Version.Value).Order());
            if (Silos.ActivationOf(Id("a")) is { } activation)
                activations.Add(activation);
        }
        Assert.Equal(1001, (await ChainOfAsync("a")).Count);
        Assert.Equal("4", await Agent("a").ReadAsync("k199"));
        Assert.NotEqual(first, Silos.ActivationOf(Id("a")));
        // Each serves some 300 events and those that were on their way; one that never counts to its end would be the only one.
        Assert.InRange(activations.Count, 2, 5);
    }

    /// <summary>Orleans ends an activation when no call is under way, and a follower's lasts for half a response timeout.</summary>
    [Fact]
    public async Task An_activation_that_is_followed_makes_way_without_delay()
    {
        await Agent("a").CommitAsync(Put("k", "0"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var seen = new List<long>();
        Task following = Task.Run(async () =>
        {
            await foreach (JournalCommit commit in Agent("a").ReplayAsync(AgentVersion.None, follow: true, stop.Token))
            {
                seen.Add(commit.Version.Value);
                if (commit.Version.Value == 2 * EventsLeft)
                    return;
            }
        }, Cancellation);
        long began = TimeProvider.System.GetTimestamp();
        for (int version = 2; version <= 2 * EventsLeft; version++)
            await WithinAsync(Agent("a").CommitAsync(Put("k", "1")), "a commit");
        await WithinAsync(following, "the follower to see them all");
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(12));
        Assert.Equal(Enumerable.Range(1, 2 * EventsLeft).Select(i => (long)i), seen);
    }
}

using Statehouse.Agents;
using Statehouse.Agents.Tests;
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
}

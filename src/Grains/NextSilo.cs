using Statehouse.Agents;
using Statehouse.Journal;

namespace Statehouse.Grains;

/// <summary>
/// Waits, where an agent's silo was found gone or on its way out, until the next one answers: whoever is told to repeat
/// then meets an agent that is there, and not the same silo once more.
/// </summary>
internal sealed class NextSilo(AgentGrains grains, TimeProvider clock)
{
    // The others hear of a silo that stops within a second; one that is killed has been declared dead when its calls fail.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(100);
    private static readonly GetRequest Question = new(new Key("?"));

    /// <summary>
    /// Returns also when nobody answered within the patience, and when it is this process that goes: the caller's repeat
    /// then says why.
    /// </summary>
    /// <param name="agent">Whose silo is gone.</param>
    /// <param name="cancellationToken">The caller's own.</param>
    public async Task AwaitAsync(AgentId agent, CancellationToken cancellationToken)
    {
        for (long began = clock.GetTimestamp(); clock.GetElapsedTime(began) < Patience;)
        {
            await Task.Delay(AskEvery, clock, cancellationToken).ConfigureAwait(false);
            if (grains.TryStateOf(agent) is not { } grain)
                return;
            try
            {
                await grain.GetAsync(Question, cancellationToken).AsTask()
                    .WaitAsync(Patience, clock, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (StatehouseException)
            {
                // A refusal or a journal that is away: the agent has answered.
                return;
            }
            catch (Exception error) when (ClusterFaults.IsFault(error, cancellationToken))
            {
                // Not there yet.
            }
        }
    }

    /// <summary>The same for several agents at once.</summary>
    public Task AwaitAllAsync(IEnumerable<AgentId> agents, CancellationToken cancellationToken) =>
        Task.WhenAll(agents.Select(agent => AwaitAsync(agent, cancellationToken)));
}

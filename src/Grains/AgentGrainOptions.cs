namespace Statehouse.Grains;

/// <summary>How a silo runs its agents' grains.</summary>
public sealed record AgentGrainOptions
{
    /// <summary>Where Orleans begins to count the events of an activation; anything but 0 is for tests of the counter's end.</summary>
    internal int FirstPosition { get; init; }
}

namespace Statehouse.Grains;

/// <summary>When work over all agents runs.</summary>
public sealed record MaintenanceOptions
{
    /// <summary>After the first silo of a cluster has started.</summary>
    public TimeSpan FirstAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Between two passes; Orleans takes no less than a minute, unless it is told to.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromHours(1);
}

namespace Statehouse.Faults.Runs;

/// <summary>What a run is.</summary>
/// <param name="Seed">The schedule and what clients do come from it.</param>
/// <param name="Duration">How long clients work; starting, healing and checking come on top.</param>
/// <param name="ClientsPerWorkload">1 or more.</param>
public sealed record RunOptions(int Seed, TimeSpan Duration, int ClientsPerWorkload)
{
    /// <summary>Names of the faults to do; null = all that the system has.</summary>
    public IReadOnlyList<string>? Faults { get; init; }

    /// <summary>Folder for the history and the processes' output.</summary>
    public required string Folder { get; init; }

    /// <summary>A call's bound, but for seats that are impatient on purpose.</summary>
    public TimeSpan CallBound { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after the last fault a commit must be acknowledged again.</summary>
    public TimeSpan RecoveryBound { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How the same run is started again, but for the seed and the rest that stands here.</summary>
    public string ReplayPrefix { get; init; } = "./statehouse faults";
}

namespace Statehouse.Bench;

/// <summary>What the command line asked for.</summary>
/// <param name="IsQuick">A smoke run: every figure in a few seconds, on little data. Its numbers mean nothing.</param>
/// <param name="Only">Ids of figures; empty = all.</param>
/// <param name="Json">Where the lines of JSON go; null = nowhere.</param>
/// <param name="Charts">Folder of the growth curves.</param>
/// <param name="Seed">Of values, choices and arrivals.</param>
/// <param name="SiloProgram">The silo program's dll, for F10.</param>
/// <param name="MissingPackages">What the package source lacks to build it; null where it could be built.</param>
internal sealed record BenchOptions(
    bool IsQuick, IReadOnlyList<string> Only, string? Json, string Charts, int Seed, string SiloProgram, string? MissingPackages)
{
    /// <summary>Measured time of one run; null = 5 s, quick 0.3 s.</summary>
    public double? Seconds { get; init; }

    /// <summary>Measured runs; null = 3, quick 2.</summary>
    public int? Runs { get; init; }

    /// <summary>Ids of peers to compare with, beside the figures that <see cref="Only"/> names; empty = all peers; null = no comparison.</summary>
    public IReadOnlyList<string>? Peers { get; init; }

    /// <summary>Markdown file whose part about this kind of run is written anew; null = none.</summary>
    public string? ResultsFile { get; init; }

    /// <summary>As it was typed, for instance <c>./statehouse bench --quick</c>.</summary>
    public string Command { get; init; } = "./statehouse bench";
}

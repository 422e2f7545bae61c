namespace Statehouse.Faults.Systems;

/// <summary>How one server is started: the product's own program, or the one with faults built in where a fault asks for it.</summary>
/// <param name="ProductDll">The product's program.</param>
/// <param name="FaultyDll">The harness's own.</param>
/// <param name="FaultyVerb">serve or silo.</param>
/// <param name="Flags">Of the product's program; asked for at each start.</param>
internal sealed record ServerCommand(string ProductDll, string FaultyDll, string FaultyVerb, Func<IReadOnlyList<string>> Flags)
{
    private const string SnapshotTailBytes = "2048";

    /// <summary>What moves its clock; null = it has the machine's.</summary>
    public string? ClockFile { get; init; }

    /// <summary>A planted defect; null = none.</summary>
    public string? Defect { get; init; }

    /// <summary>Variables that it always gets.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>More flags of the harness's own program, which it is started with then; empty = none.</summary>
    public IReadOnlyList<string> MoreFaults { get; init; } = [];

    /// <param name="crashAt">POINT or POINT:N at which it kills itself; null = nowhere.</param>
    /// <returns>A dll and its arguments.</returns>
    public (string Dll, IReadOnlyList<string> Arguments) For(string? crashAt)
    {
        List<string> faults = [.. MoreFaults];
        Add("--crash-at", crashAt);
        // Snapshots are points to die at too, and would else be rare.
        Add("--snapshot-tail", crashAt is null ? null : SnapshotTailBytes);
        Add("--defect", Defect);
        Add("--clock-file", ClockFile);
        return faults.Count == 0 ? (ProductDll, Flags()) : (FaultyDll, [FaultyVerb, .. faults, "--", .. Flags()]);

        void Add(string flag, string? value)
        {
            if (value is not null)
                faults.AddRange([flag, value]);
        }
    }
}

using Statehouse.Faults.Systems;

namespace Statehouse.Faults.Runs;

/// <summary>The configurations that this program can run, by name. The cluster's program adds its own.</summary>
public class SystemCatalog
{
    /// <summary>For instance <c>sqlite</c>, <c>postgres</c>.</summary>
    public virtual IReadOnlyList<string> Names => ["sqlite", "postgres"];

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="options">What the processes are started with.</param>
    public virtual ISystemUnderTest Create(string name, SystemOptions options) => name switch
    {
        "sqlite" => new SqliteSystem(options),
        "postgres" => new PostgresSystem(options),
        _ => throw new ArgumentException($"There is no configuration '{name}'; there are: {string.Join(", ", Names)}.", nameof(name)),
    };
}

/// <param name="CrashAt">POINT or POINT:N for one of the servers; null = none.</param>
/// <param name="Defect">A planted defect in every server; null = none. Where both are null, the product's own program is started.</param>
/// <param name="Folder">Where the system keeps its data and logs; exists, and is the caller's to remove.</param>
public sealed record SystemOptions(string Folder, string? CrashAt = null, string? Defect = null)
{
    /// <summary>One of the servers is started with a clock that the fault clock-jump can move.</summary>
    public bool HasMovableClock { get; init; }

    /// <summary>The journal stands on a disk that the fault disk-full can fill, where one can be mounted.</summary>
    public bool HasSmallDisk { get; init; } = true;
}
